package jobstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// CountSingles says how many photos outside of batches were accepted at or after from
// and before to, by the clocks of who accepted them, to the millisecond. It reads that
// part of the primary key and nothing else.
func (s *Store) CountSingles(ctx context.Context, from, to time.Time) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM photos WHERE id >= ? AND id < ? AND batch_id IS NULL`,
		firstID(from), firstID(to)).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting accepted photos: %w", classify(err))
	}
	return n, nil
}

// BatchTotals says how many items the batches have so far that have not ended, or were
// made at or after since. A total only grows.
func (s *Store) BatchTotals(ctx context.Context, since time.Time) (map[uuid.UUID]int, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, total FROM batches WHERE state IN ('validating', 'queued', 'in_progress', 'finalizing', 'cancelling')
		UNION SELECT id, total FROM batches WHERE id >= ?`, firstID(since))
	type one struct {
		id    uuid.UUID
		total int
	}
	found, err := collect(rows, err, func(from row) (b one, err error) {
		err = from.Scan(&b.id, &b.total)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("counting the items of batches: %w", err)
	}
	totals := make(map[uuid.UUID]int, len(found))
	for _, b := range found {
		totals[b.id] = b.total
	}
	return totals, nil
}
