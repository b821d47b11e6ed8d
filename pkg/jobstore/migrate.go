package jobstore

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Migrate brings the tables to the state this build expects. It is one explicit
// step of a deployment, never done by a service at its start; two at once wait for
// each other. The database itself must exist.
func Migrate(ctx context.Context, c Config, log *slog.Logger) error {
	provider, err := newProvider(c, log)
	if err != nil {
		return err
	}
	// Up looks for work before it takes the lock, and that look makes the table of
	// versions in two steps that MySQL commits one by one. Under the lock first: a
	// second migration never sees that table between its two steps.
	if _, err = provider.GetDBVersion(ctx); err == nil {
		_, err = provider.Up(ctx)
	}
	if err = errors.Join(classify(err), provider.Close()); err != nil {
		return fmt.Errorf("migrating mysql: %w", err)
	}
	return nil
}

func newProvider(c Config, log *slog.Logger) (*goose.Provider, error) {
	if err := c.Validate(); err != nil {
		return nil, fmt.Errorf("migrating mysql: %w", err)
	}
	d := c.driver()
	d.ReadTimeout = 0 // a large table takes its time; the context is the limit
	db, err := open(d, 2, 0)
	if err != nil {
		return nil, err
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, fmt.Errorf("reading the migrations: %w", err)
	}
	provider, err := goose.NewProvider(goose.DialectMySQL, db, files,
		goose.WithSlog(log), goose.WithDisableGlobalRegistry(true), goose.WithSessionLocker(migrationLock{}))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading the migrations: %w", err), db.Close())
	}
	return provider, nil
}

// migrationLock lets one migration of a database run at a time. The server drops
// it when the session ends, however it ends.
type migrationLock struct{}

// MySQL's lock names are the server's, not the database's, and at most 64 long.
const migrationLockName = `CONCAT('maskfleet.', LEFT(MD5(DATABASE()), 32))`

func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	if err := conn.QueryRowContext(ctx, `SELECT GET_LOCK(`+migrationLockName+`, 300)`).Scan(&got); err != nil {
		return fmt.Errorf("waiting for another migration: %w", err)
	}
	if got.Int64 != 1 {
		return errors.New("another migration is still running")
	}
	return nil
}

func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	if _, err := conn.ExecContext(ctx, `DO RELEASE_LOCK(`+migrationLockName+`)`); err != nil {
		return fmt.Errorf("unlocking migrations: %w", err)
	}
	return nil
}
