package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// Sweep is one turn of holding objects against rows.
type Sweep struct {
	At      time.Time // when it ended, by the database's clock; set by LastSweep
	Days    int       // whose objects were looked at
	Objects int
	Orphans int // objects that no row names, removed
	Missing int // objects that a row names and that are not there
}

// keptSweeps is how long turns are remembered.
const keptSweeps = 30 * 24 * time.Hour

// WriteSweep notes a turn that has ended, and forgets old ones.
func (s *Store) WriteSweep(ctx context.Context, w Sweep) error {
	_, err := s.exec(ctx, `
		INSERT INTO sweeps (swept_at, days, objects, orphans, missing) VALUES (UTC_TIMESTAMP(6), ?, ?, ?, ?)`,
		w.Days, w.Objects, w.Orphans, w.Missing)
	if err == nil {
		_, err = s.exec(ctx, `DELETE FROM sweeps WHERE swept_at < UTC_TIMESTAMP(6) - INTERVAL ? SECOND`, int(keptSweeps.Seconds()))
	}
	if err != nil {
		return fmt.Errorf("noting a sweep: %w", err)
	}
	return nil
}

// LastSweep is the turn that ended last; ErrNotFound if none has.
func (s *Store) LastSweep(ctx context.Context) (w Sweep, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT swept_at, days, objects, orphans, missing FROM sweeps ORDER BY swept_at DESC, id DESC LIMIT 1`).
		Scan(&w.At, &w.Days, &w.Objects, &w.Orphans, &w.Missing)
	if errors.Is(err, sql.ErrNoRows) {
		return Sweep{}, fmt.Errorf("reading the last sweep: %w", ErrNotFound)
	}
	if err != nil {
		return Sweep{}, fmt.Errorf("reading the last sweep: %w", classify(err))
	}
	return w, nil
}
