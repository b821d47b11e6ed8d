package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"

	"maskfleet/pkg/jobstore"
)

// migrateOnce migrates one database of the server and gives the statements that
// make another one like it. Migrations are many, and the library that reads them
// takes a buffer of megabytes for each: with the race detector it cost a fifth of
// the time of tests that need a hundred databases.
func (s *MariaDBServer) migrateOnce() ([]string, error) {
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
	tables, err := tableNames(ctx, db, database)
	if err != nil {
		return nil, err
	}
	statements := []string{"SET FOREIGN_KEY_CHECKS = 0"}
	for _, table := range tables {
		var name, create string
		if err := db.QueryRowContext(ctx, "SHOW CREATE TABLE "+database+"."+table).Scan(&name, &create); err != nil {
			return nil, fmt.Errorf("reading how table %s is made: %w", table, err)
		}
		statements = append(statements, create)
	}
	const versions = "goose_db_version"
	return append(statements, "INSERT INTO "+versions+" SELECT * FROM "+database+"."+versions), nil
}

func tableNames(ctx context.Context, db *sql.DB, database string) ([]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT table_name FROM information_schema.tables WHERE table_schema = ?", database)
	if err != nil {
		return nil, fmt.Errorf("listing tables: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var names []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("listing tables: %w", err)
		}
		names = append(names, name)
	}
	return names, rows.Err()
}
