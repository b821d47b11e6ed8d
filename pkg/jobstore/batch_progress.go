package jobstore

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// InHand says how many photos of each batch a worker has right now; a batch without
// any is left out.
func (s *Store) InHand(ctx context.Context, batches ...uuid.UUID) (map[uuid.UUID]int, error) {
	inHand := map[uuid.UUID]int{}
	if len(batches) == 0 {
		return inHand, nil
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT batch_id, COUNT(*) FROM photos
		WHERE state = ? AND deleted_at IS NULL AND batch_id IN (`+list(`?`, len(batches))+`) GROUP BY batch_id`,
		append([]any{job.StateProcessing}, idArgs(batches)...)...)
	_, err = collect(rows, err, func(from row) (id uuid.UUID, err error) {
		var n int
		err = from.Scan(&id, &n)
		inHand[id] = n
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("counting photos in hand: %w", err)
	}
	return inHand, nil
}
