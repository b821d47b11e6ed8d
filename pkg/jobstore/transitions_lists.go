package jobstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Discard puts failures aside that an operator has dealt with, in one statement, and
// gives their number: the photos stay failed, and no list of dead letters shows them.
func (s *Store) Discard(ctx context.Context, ids []job.ID) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	rows, err := s.exec(ctx, `
		UPDATE photos SET discarded_at = UTC_TIMESTAMP(6)
		WHERE state = 'failed' AND discarded_at IS NULL AND deleted_at IS NULL AND id IN (`+list(`?`, len(ids))+`)`, idArgs(ids)...)
	if err != nil {
		return 0, fmt.Errorf("discarding %d failures: %w", len(ids), err)
	}
	return int(rows), nil
}

// DeleteDone sets the tombstones of those of an owner's photos that are terminal, in
// one statement, and gives their number. Photos that are not are for Delete.
func (s *Store) DeleteDone(ctx context.Context, ownerID uuid.UUID, ids []job.ID) (int, error) {
	if len(ids) == 0 {
		return 0, nil
	}
	args := append([]any{ownerID[:]}, idArgs(ids)...)
	rows, err := s.exec(ctx, `
		UPDATE photos SET deleted_at = UTC_TIMESTAMP(6), fence = fence + 1, touched_at = UTC_TIMESTAMP(6)
		WHERE owner_id = ? AND deleted_at IS NULL AND state NOT IN ('queued', 'processing')
			AND id IN (`+list(`?`, len(ids))+`)`, args...)
	if err == nil && rows > 0 {
		err = s.forgetAnswers(ctx, ids...)
	}
	if err != nil {
		return 0, fmt.Errorf("deleting %d photos of %s: %w", len(ids), ownerID, err)
	}
	return int(rows), nil
}
