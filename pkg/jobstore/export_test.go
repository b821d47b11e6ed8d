package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// MigrateDown takes every migration back.
func MigrateDown(ctx context.Context, c Config, log *slog.Logger) error {
	provider, err := newProvider(c, log)
	if err != nil {
		return err
	}
	_, err = provider.DownTo(ctx, 0)
	return errors.Join(err, provider.Close())
}

// TellOfEnds adds to those who are told of ends.
func (s *Store) TellOfEnds(photo func(context.Context, *sql.Tx, job.ID) error, batch func(context.Context, *sql.Tx, job.Batch) error) {
	s.outbox.photoEnded = append(s.outbox.photoEnded, photo)
	s.outbox.batchEnded = append(s.outbox.batchEnded, batch)
}

// RowsRead is how many rows and index entries a store with a single connection has
// read so far.
func (s *Store) RowsRead(tb testing.TB) (total int) {
	tb.Helper()
	// Asking reads a table of variables itself, which is not counted here.
	rows, err := s.db.QueryContext(tb.Context(), `SHOW SESSION STATUS WHERE Variable_name IN
		('Handler_read_first', 'Handler_read_key', 'Handler_read_last', 'Handler_read_next', 'Handler_read_prev', 'Handler_read_rnd')`)
	counts, err := collect(rows, err, func(from row) (n int, err error) {
		var name string
		err = from.Scan(&name, &n)
		return n, err
	})
	if err != nil {
		tb.Fatal(err)
	}
	for _, n := range counts {
		total += n
	}
	return total
}

// TablesOnDisk is how many tables of its own the server has put on disk so far for a
// store with a single connection.
func (s *Store) TablesOnDisk(tb testing.TB) (n int) {
	tb.Helper()
	var name string
	if err := s.db.QueryRowContext(tb.Context(), `SHOW SESSION STATUS LIKE 'Created_tmp_disk_tables'`).Scan(&name, &n); err != nil {
		tb.Fatal(err)
	}
	return n
}

// PlanOfSearch is how the server would find the photos, in its own words: column by
// column of EXPLAIN.
func (s *Store) PlanOfSearch(ctx context.Context, f Search) (map[string]string, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `EXPLAIN `+selectPhotos+f.index()+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil || !rows.Next() {
		return nil, errors.Join(err, rows.Err())
	}
	values, to := make([]sql.NullString, len(columns)), make([]any, len(columns))
	for i := range values {
		to[i] = &values[i]
	}
	plan := map[string]string{}
	err = rows.Scan(to...)
	for i, name := range columns {
		plan[name] = values[i].String
	}
	return plan, err
}

// SleepAtMost asks a session with a limit for a statement to do nothing for a while.
func (c Config) SleepAtMost(ctx context.Context, limit, nap time.Duration) error {
	db, err := open(c.driver(), 1, limit)
	if err != nil {
		return err
	}
	defer db.Close()
	var slept int
	return classify(db.QueryRowContext(ctx, `SELECT SLEEP(?)`, nap.Seconds()).Scan(&slept))
}

// StatementLimit is the one that sessions have.
const StatementLimit = exchangeTimeout

// StatementLimitOf is what the server says of the store's sessions.
func (s *Store) StatementLimitOf(ctx context.Context) (seconds float64, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT @@max_statement_time`).Scan(&seconds)
	return seconds, err
}
