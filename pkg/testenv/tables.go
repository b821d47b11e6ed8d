package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"maskfleet/pkg/jobstore"
)

var migrated struct {
	sync.Mutex
	statements []string // that make all tables, once they are known
}

// allTables gives the statements that make all tables, by migrating a database of the
// server that is asked first. Migrations are many, and the library that reads them
// takes a buffer of megabytes for each: with the race detector it cost a fifth of
// the time of tests that need a hundred databases.
func allTables(s *MariaDBServer) ([]string, error) {
	migrated.Lock()
	defer migrated.Unlock()
	if migrated.statements != nil {
		return migrated.statements, nil
	}
	var err error
	migrated.statements, err = s.migrate()
	return migrated.statements, err
}

func (s *MariaDBServer) migrate() ([]string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), mariaDBReadyIn)
	defer cancel()
	c, err := s.newDatabase(ctx, nil)
	if err != nil {
		return nil, err
	}
	if err := jobstore.Migrate(ctx, c, slog.New(slog.DiscardHandler)); err != nil {
		return nil, err
	}
	db, err := s.admin()
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close() }()
	return copyStatements(ctx, db, c.Database)
}

// copyStatements makes all tables of a database again, with the versions of the
// migrations as their only rows; in any order, since foreign keys are not looked at.
func copyStatements(ctx context.Context, db *sql.DB, database string) ([]string, error) {
	tables, err := texts(ctx, db, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", database)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	statements := []string{"SET FOREIGN_KEY_CHECKS = 0"}
	for _, table := range tables {
		var name, create string
		if err := db.QueryRowContext(ctx, "SHOW CREATE TABLE "+database+"."+table).Scan(&name, &create); err != nil {
			return nil, fmt.Errorf("reading how table %s is made: %w", table, err)
		}
		statements = append(statements, create)
	}
	versions, err := texts(ctx, db, "SELECT CONCAT('(', version_id, ', ', is_applied, ')') FROM "+database+".goose_db_version ORDER BY id")
	if err != nil {
		return nil, fmt.Errorf("listing the versions of the migrations: %w", err)
	}
	return append(statements, "INSERT INTO goose_db_version (version_id, is_applied) VALUES "+strings.Join(versions, ", ")), nil
}

// texts is the one column of text that a query gives.
func texts(ctx context.Context, db *sql.DB, query string, args ...any) ([]string, error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var all []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		all = append(all, text)
	}
	return all, rows.Err()
}
