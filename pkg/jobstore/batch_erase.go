package jobstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
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

// BatchesWithSource gives batches whose manifest or archive may lie in S3 although
// nobody will read it any more: they are expanded, or were refused or cancelled, and
// no expander has them.
func (s *Store) BatchesWithSource(ctx context.Context, limit int) ([]job.Batch, error) {
	rows, err := s.db.QueryContext(ctx, selectBatches+`
		WHERE source_removed_at IS NULL AND state <> 'validating' AND deleted_at IS NULL
			AND (expander_until IS NULL OR expander_until <= UTC_TIMESTAMP(6))
		ORDER BY id LIMIT ?`, limit)
	batches, err := collect(rows, err, scanBatch)
	if err != nil {
		return nil, fmt.Errorf("listing batches with what they were made of: %w", err)
	}
	return batches, nil
}

// SourceRemoved notes that a batch's manifest and archive are gone from S3.
func (s *Store) SourceRemoved(ctx context.Context, id uuid.UUID) error {
	_, err := s.exec(ctx, `UPDATE batches SET source_removed_at = UTC_TIMESTAMP(6) WHERE id = ?`, id[:])
	if err != nil {
		return batchError("noting the removed source of", id, err)
	}
	return nil
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
