package jobstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

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
	if err != nil {
		return 0, fmt.Errorf("deleting %d photos of %s: %w", len(ids), ownerID, err)
	}
	return int(rows), nil
}
