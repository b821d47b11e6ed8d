package jobstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// BatchesPast gives batches that became terminal longer ago than age.
func (s *Store) BatchesPast(ctx context.Context, age time.Duration, limit int) ([]uuid.UUID, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id FROM batches
		WHERE state IN ('completed', 'failed', 'cancelled', 'expired') AND remaining = 0
			AND finished_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND AND deleted_at IS NULL
		ORDER BY id LIMIT ?`, age.Microseconds(), limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("listing batches past their time: %w", err)
	}
	return ids, nil
}

// BatchesThere gives those of the batches that have a row, also one with a tombstone.
func (s *Store) BatchesThere(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]bool, error) {
	there := map[uuid.UUID]bool{}
	if len(ids) == 0 {
		return there, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM batches WHERE id IN (`+list(`?`, len(ids))+`)`, idArgs(ids)...)
	found, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("looking for batches: %w", err)
	}
	for _, id := range found {
		there[id] = true
	}
	return there, nil
}
