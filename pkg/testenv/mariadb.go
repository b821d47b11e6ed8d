package testenv

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"maskfleet/pkg/jobstore"
)

const (
	mariaDBUser     = "maskfleet"
	mariaDBPassword = "maskfleet"
	mariaDBReadyIn  = time.Minute // far more than it takes; machines may be busy
)

// sharedMariaDB is the server of this test binary.
var sharedMariaDB = sync.OnceValues(newMariaDB)

// MariaDB gives a database of its own with all tables to the test, on a server that
// all tests of the binary share.
func MariaDB(tb testing.TB) jobstore.Config {
	tb.Helper()
	return shared(tb).Database(tb)
}

// EmptyMariaDB is MariaDB without a table, for tests that make them.
func EmptyMariaDB(tb testing.TB) jobstore.Config {
	tb.Helper()
	return shared(tb).EmptyDatabase(tb)
}

func shared(tb testing.TB) *MariaDBServer {
	tb.Helper()
	server, err := sharedMariaDB()
	if err != nil {
		tb.Fatal(err)
	}
	return server
}

// JobStore gives a store on a database of its own with all its tables.
func JobStore(tb testing.TB) *jobstore.Store {
	tb.Helper()
	return openStore(tb, MariaDB(tb))
}

func openStore(tb testing.TB, c jobstore.Config) *jobstore.Store {
	tb.Helper()
	store, err := jobstore.Open(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = store.Close() })
	return store
}

// MariaDBServer is a MariaDB of its own, for tests that stop it.
type MariaDBServer struct {
	child
	databases atomic.Int64 // made so far
}

// NewMariaDB starts a server for this test alone.
func NewMariaDB(tb testing.TB) *MariaDBServer {
	tb.Helper()
	return startedFor(tb, newMariaDB)
}

func newMariaDB() (*MariaDBServer, error) {
	template, err := mariaDBTemplate()
	if err != nil {
		return nil, err
	}
	c, err := newChild("mariadb")
	if err != nil {
		return nil, err
	}
	if err := copyTree(filepath.Join(c.dir, "data"), template); err != nil {
		return nil, fmt.Errorf("copying MariaDB's data: %w", err)
	}
	users := fmt.Sprintf("CREATE USER IF NOT EXISTS %[1]s@'%%' IDENTIFIED BY '%[2]s';\nGRANT ALL ON *.* TO %[1]s@'%%';\n",
		mariaDBUser, mariaDBPassword)
	if err := os.WriteFile(filepath.Join(c.dir, "users.sql"), []byte(users), 0o644); err != nil {
		return nil, fmt.Errorf("writing MariaDB's users: %w", err)
	}
	s := &MariaDBServer{child: c}
	s.run = s.runProcess
	return s, s.start()
}

// EmptyDatabase makes a database without tables.
func (s *MariaDBServer) EmptyDatabase(tb testing.TB) jobstore.Config {
	tb.Helper()
	c, err := s.newDatabase(tb.Context(), nil)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// Database makes a database with all tables.
func (s *MariaDBServer) Database(tb testing.TB) jobstore.Config {
	tb.Helper()
	tables, err := allTables(s)
	if err != nil {
		tb.Fatal(err)
	}
	c, err := s.newDatabase(tb.Context(), tables)
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

func (s *MariaDBServer) newDatabase(ctx context.Context, statements []string) (jobstore.Config, error) {
	c := jobstore.Config{
		Address: s.address(), User: mariaDBUser, Password: mariaDBPassword, MaxConns: 16,
		Database: "test_" + strconv.FormatInt(s.databases.Add(1), 10),
	}
	db, err := s.admin()
	if err != nil {
		return c, err
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // USE is the connection's
	statements = append([]string{
		"CREATE DATABASE " + c.Database + " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci", "USE " + c.Database,
	}, statements...)
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return c, fmt.Errorf("making a database: %w\n%s", err, statement)
		}
	}
	return c, nil
}

// JobStore gives a store on a new database of this server with all its tables.
func (s *MariaDBServer) JobStore(tb testing.TB) *jobstore.Store {
	tb.Helper()
	return openStore(tb, s.Database(tb))
}

func (s *MariaDBServer) address() string { return "127.0.0.1:" + strconv.Itoa(s.port) }

func (s *MariaDBServer) admin() (*sql.DB, error) {
	c := mysql.NewConfig()
	c.Net, c.Addr, c.User, c.Passwd = "tcp", s.address(), mariaDBUser, mariaDBPassword
	c.Timeout, c.ReadTimeout = time.Second, 10*time.Second
	c.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, fmt.Errorf("configuring MariaDB: %w", err)
	}
	return sql.OpenDB(connector), nil
}

func (s *MariaDBServer) runProcess() (*Process, error) {
	data := filepath.Join(s.dir, "data")
	args := []string{
		"--no-defaults", "--datadir=" + data, "--socket=" + filepath.Join(s.dir, "s"), "--pid-file=" + filepath.Join(s.dir, "pid"), "--tmpdir=" + s.dir,
		"--port=" + strconv.Itoa(s.port), "--bind-address=127.0.0.1", "--skip-name-resolve",
		"--init-file=" + filepath.Join(s.dir, "users.sql"),
		"--character-set-server=utf8mb4", "--collation-server=utf8mb4_unicode_ci",
		"--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
		"--innodb-buffer-pool-size=32M", "--innodb-log-file-size=8M", "--performance-schema=OFF", "--skip-log-bin",
		"--max-connections=300",
		// A test's data must survive a kill, which 0 would not, but no power cut.
		"--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync", "--innodb-doublewrite=0",
	}
	process, err := StartProcess(exec.Command("mariadbd", append(args, asRoot()...)...))
	if err != nil {
		return nil, err
	}
	probe, err := s.admin()
	if err != nil {
		return nil, err
	}
	defer func() { _ = probe.Close() }()
	return process, process.ready(mariaDBReadyIn, probe.PingContext)
}

// mariaDBTemplate gives a data folder as the installed MariaDB makes it, which
// takes seconds and is therefore done once for each version.
func mariaDBTemplate() (string, error) {
	version, err := exec.Command("mariadbd", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("finding mariadbd (Debian: mariadb-server-core): %w", err)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	template := filepath.Join(cache, fmt.Sprintf("mariadb-%x", sha256.Sum256(version))[:24])
	err = withLock(template+".lock", func() error {
		if _, err := os.Stat(template); !errors.Is(err, os.ErrNotExist) {
			return err
		}
		return installMariaDB(template)
	})
	return template, err
}

func installMariaDB(dir string) error {
	unfinished := dir + ".unfinished"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("removing an unfinished data folder: %w", err)
	}
	args := []string{
		"--no-defaults", "--datadir=" + unfinished, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M",
	}
	install := exec.Command("mariadb-install-db", append(args, asRoot()...)...)
	// A server that starts removes the temporary tables of all others in its folder.
	install.Env = append(install.Environ(), "TMPDIR="+filepath.Dir(dir))
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("making MariaDB's data folder: %w\n%s", err, out)
	}
	return os.Rename(unfinished, dir)
}

// asRoot lets MariaDB run as root where the tests do.
func asRoot() []string {
	if os.Geteuid() != 0 {
		return nil
	}
	return []string{"--user=root"}
}
