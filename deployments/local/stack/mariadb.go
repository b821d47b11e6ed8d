package stack

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	mysqlUser     = "maskfleet"
	mysqlDatabase = "maskfleet"
)

// mariadb prepares the database's folder and says how to run the server. Its
// user and database are made by an SQL file that the server reads at each start
// before it takes clients, so that the passwords are always those of secrets.
func (s *Stack) mariadb(ctx context.Context) (spec, error) {
	program, err := systemProgram("mariadbd")
	if err != nil {
		return spec{}, err
	}
	data := s.dataDir("mariadb")
	if err := s.prepareDatabase(ctx, data); err != nil {
		return spec{}, err
	}
	start := filepath.Join(s.runDir(), "mariadb.sql")
	if err := replaceFile(start, []byte(databaseSQL(s.secrets))); err != nil {
		return spec{}, fmt.Errorf("writing the database's first statements: %w", err)
	}
	args := append(serverOptions(),
		"--datadir="+data,
		"--socket="+filepath.Join(s.socketDir, "mariadb.sock"),
		"--pid-file="+filepath.Join(s.runDir(), "mariadb.pid"),
		"--tmpdir="+s.runDir(), // see installDatabase
		"--bind-address=127.0.0.1",
		"--port="+port(s.at.mysql),
		"--init-file="+start,
	)
	return spec{
		program: program, args: args, address: s.at.mysql, dataDir: data,
		ready: greets(s.at.mysql), readyLimit: time.Minute,
		stopSignal: syscall.SIGTERM, stopLimit: 30 * time.Second,
	}, nil
}

// serverOptions keep the server small, strict and durable.
func serverOptions() []string {
	return append([]string{"--no-defaults"}, append(asRoot(),
		"--skip-name-resolve",
		"--skip-log-bin",
		"--performance-schema=OFF",
		"--local-infile=OFF",
		"--innodb-buffer-pool-size=64M",
		"--innodb-log-file-size=8M",
		"--innodb-flush-log-at-trx-commit=1",
		"--max-connections=200",
		"--character-set-server=utf8mb4",
		"--collation-server=utf8mb4_unicode_ci",
		"--sql-mode=ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION",
		"--default-time-zone=+00:00",
	)...)
}

// asRoot: the server refuses to run as root unless told by name.
func asRoot() []string {
	if os.Getuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// databaseSQL is safe to quote: secrets are letters and digits.
func databaseSQL(s secrets) string {
	user := fmt.Sprintf("'%s'@'127.0.0.1'", mysqlUser)
	return strings.Join([]string{
		"DELETE FROM mysql.global_priv WHERE User = '' OR (User = 'root' AND Host <> 'localhost');",
		"FLUSH PRIVILEGES;",
		"ALTER USER 'root'@'localhost' IDENTIFIED BY '" + s.MySQLRootPassword + "';",
		"CREATE DATABASE IF NOT EXISTS " + mysqlDatabase + " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;",
		"CREATE USER IF NOT EXISTS " + user + ";",
		"ALTER USER " + user + " IDENTIFIED BY '" + s.MySQLPassword + "';",
		"GRANT ALL ON " + mysqlDatabase + ".* TO " + user + ";",
	}, "\n") + "\n"
}

// prepareDatabase copies an empty database into place, which takes a tenth of
// the time that making one takes.
func (s *Stack) prepareDatabase(ctx context.Context, data string) error {
	if _, err := os.Stat(data); err == nil {
		return nil
	}
	template, err := databaseTemplate(ctx, s.options.Cache)
	if err != nil {
		return err
	}
	fresh := data + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.CopyFS(fresh, os.DirFS(template)); err != nil {
		return fmt.Errorf("copying the empty database: %w", err)
	}
	return os.Rename(fresh, data)
}

// databaseTemplate makes the empty database once for a version of the server.
// Two stacks may make it at once: the first to finish wins.
func databaseTemplate(ctx context.Context, cache string) (string, error) {
	server, err := systemProgram("mariadbd")
	if err != nil {
		return "", err
	}
	version, err := exec.CommandContext(ctx, server, "--no-defaults", "--version").Output()
	if err != nil {
		return "", fmt.Errorf("asking mariadbd for its version: %w", err)
	}
	sum := sha256.Sum256(version)
	template := filepath.Join(cache, "mariadb-"+hex.EncodeToString(sum[:6]))
	if _, err := os.Stat(template); err == nil {
		return template, nil
	}
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return "", err
	}
	work, err := os.MkdirTemp(cache, "mariadb-new-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	fresh := filepath.Join(work, "data")
	if err := installDatabase(ctx, fresh); err != nil {
		return "", err
	}
	if err := os.Rename(fresh, template); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fmt.Errorf("keeping the empty database: %w", err)
	}
	return template, nil
}

func installDatabase(ctx context.Context, dir string) error {
	args := append([]string{"--no-defaults"}, append(asRoot(),
		"--datadir="+dir, "--auth-root-authentication-method=normal",
		"--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M",
	)...)
	program, err := systemProgram("mariadb-install-db")
	if err != nil {
		return err
	}
	install := exec.CommandContext(ctx, program, args...)
	// A server that starts removes the temporary tables of all others in its folder.
	install.Env = append(install.Environ(), "TMPDIR="+filepath.Dir(dir))
	output, err := install.CombinedOutput()
	if err != nil {
		return fmt.Errorf("making an empty database: %w\n%s", err, bytes.TrimSpace(output))
	}
	return nil
}
