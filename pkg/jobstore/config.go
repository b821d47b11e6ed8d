package jobstore

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	dialTimeout     = 2 * time.Second
	exchangeTimeout = 10 * time.Second // of one read or write on a connection
	connLifetime    = 5 * time.Minute  // so that a failover or a new address is followed
	connIdleTime    = time.Minute
)

// sqlMode is set by every session, so that a server's own setting never makes a
// statement quietly store something else than it was given.
const sqlMode = "'ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'"

// Config says where MySQL is.
type Config struct {
	Address  string `env:"MYSQL_ADDRESS" envDefault:"127.0.0.1:3306"`
	User     string `env:"MYSQL_USER" envDefault:"maskfleet"`
	Password string `env:"MYSQL_PASSWORD" secret:"true"`
	Database string `env:"MYSQL_DATABASE" envDefault:"maskfleet"`
	MaxConns int    `env:"MYSQL_MAX_CONNS" envDefault:"16"`
}

// Validate says what is wrong with the settings, all of it at once.
func (c Config) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		errs = append(errs, fmt.Errorf("MYSQL_ADDRESS must be host:port: %w", err))
	}
	if c.User == "" {
		errs = append(errs, errors.New("MYSQL_USER must not be empty"))
	}
	if c.Database == "" {
		errs = append(errs, errors.New("MYSQL_DATABASE must not be empty"))
	}
	if c.MaxConns < 1 {
		errs = append(errs, errors.New("MYSQL_MAX_CONNS must be at least 1"))
	}
	return errors.Join(errs...)
}

func (c Config) driver() *mysql.Config {
	d := mysql.NewConfig()
	d.Net, d.Addr = "tcp", c.Address
	d.User, d.Passwd, d.DBName = c.User, c.Password, c.Database
	d.Timeout, d.ReadTimeout, d.WriteTimeout = dialTimeout, exchangeTimeout, exchangeTimeout
	d.ParseTime, d.Loc = true, time.UTC
	d.Collation = "utf8mb4_unicode_ci"
	d.ClientFoundRows = true   // a guarded UPDATE tells whether its guard held, not whether bytes differ
	d.InterpolateParams = true // one round trip for a statement instead of three
	d.RejectReadOnly = true    // after a failover, leave the old primary
	d.Logger = &mysql.NopLogger{}
	d.Params = map[string]string{
		"time_zone":                "'+00:00'",
		"sql_mode":                 sqlMode,
		"innodb_lock_wait_timeout": "3",
		// To read one index in order and stop after a page is what the lists are made
		// for. To intersect two and sort what comes of it takes seconds for a million rows.
		"optimizer_switch": "'index_merge_intersection=off'",
	}
	return d
}

// sessions is a connector whose sessions read what is committed. MySQL 8 and
// MariaDB 10.11 name the variable for it differently, but share this statement.
type sessions struct {
	driver.Connector
	limit time.Duration // of a statement; 0: none
}

func (s sessions) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := s.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	const readCommitted = `SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED`
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, readCommitted, nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	if s.limit == 0 {
		return conn, nil
	}
	if _, err := conn.(driver.ExecerContext).ExecContext(ctx, endStatements(s.limit), nil); err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// endStatements has the server end what takes longer. A client that gives up only closes
// its connection, which a server notices at the end of the statement: whoever asks again
// every second would heap up statements that nobody waits for. MySQL knows a limit for
// reads, in milliseconds, and MariaDB for all, in seconds; each skips the other's comment.
func endStatements(limit time.Duration) string {
	return fmt.Sprintf(`SET SESSION innodb_lock_wait_timeout = 3 /*M!100101 , max_statement_time = %g */ /*!50708 , max_execution_time = %d */`,
		limit.Seconds(), limit.Milliseconds())
}

func open(d *mysql.Config, maxConns int, limit time.Duration) (*sql.DB, error) {
	connector, err := mysql.NewConnector(d)
	if err != nil {
		return nil, fmt.Errorf("configuring mysql: %w", err)
	}
	db := sql.OpenDB(sessions{connector, limit})
	db.SetMaxOpenConns(maxConns)
	db.SetMaxIdleConns(maxConns)
	db.SetConnMaxLifetime(connLifetime)
	db.SetConnMaxIdleTime(connIdleTime)
	return db, nil
}
