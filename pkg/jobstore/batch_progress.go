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

// toCome is how many items a batch may still get while it is expanded.
const toCome = `IF(state = 'validating', GREATEST(announced - total, 0), 0)`

// surelyToCome leaves out what nobody has counted yet: of an archive or a prefix announced
// is the most that it may hold. See job.Batch.Counted.
const surelyToCome = `IF(source = '` + string(job.BatchFromManifest) + `', ` + toCome + `, 0)`

// WaitingInBatches counts the items of all batches that have not ended, also those that
// are still to come.
func (s *Store) WaitingInBatches(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT COALESCE(SUM(remaining + `+toCome+`), 0) FROM batches
		WHERE state IN ('validating', 'queued', 'in_progress', 'cancelling') AND deleted_at IS NULL`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting photos that wait in batches: %w", classify(err))
	}
	return n, nil
}

// ItemsOutsideBroker counts the items of all batches that wait and are not known to be on
// the broker, in whatever lane, also those that are known to be still to come. It costs
// what is on the broker, not what waits here.
func (s *Store) ItemsOutsideBroker(ctx context.Context) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT COALESCE(SUM(GREATEST(0, remaining + `+surelyToCome+`
			- (SELECT COUNT(*) FROM photos p
				WHERE p.batch_id = b.id AND p.state = 'queued' AND p.confirmed_at IS NOT NULL AND p.deleted_at IS NULL)
			- (SELECT COUNT(*) FROM photos p
				WHERE p.batch_id = b.id AND p.state = 'processing' AND p.deleted_at IS NULL))), 0)
		FROM batches b
		WHERE state IN ('validating', 'queued', 'in_progress', 'cancelling') AND deleted_at IS NULL`).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting items of batches outside the broker: %w", classify(err))
	}
	return n, nil
}

// OpenWork is what an account has that has not ended.
type OpenWork struct {
	Photos  int // those of batches too; without what is to come, counted no further than asked for
	Batches int
}

// OpenWork counts what an account has that has not ended, photos up to mostPhotos, and
// what is still to come of batches that are being expanded.
func (s *Store) OpenWork(ctx context.Context, ownerID uuid.UUID, mostPhotos int) (open OpenWork, err error) {
	var coming int
	err = s.db.QueryRowContext(ctx, `
		SELECT
			(SELECT COUNT(*) FROM (SELECT 1 FROM photos
				WHERE owner_id = ? AND state IN ('queued', 'processing') AND deleted_at IS NULL LIMIT ?) AS some),
			COALESCE(SUM(`+toCome+`), 0), COUNT(*)
		FROM batches
		WHERE owner_id = ? AND state IN ('validating', 'queued', 'in_progress', 'finalizing', 'cancelling') AND deleted_at IS NULL`,
		ownerID[:], mostPhotos, ownerID[:]).Scan(&open.Photos, &coming, &open.Batches)
	if err != nil {
		return OpenWork{}, fmt.Errorf("counting the open work of %s: %w", ownerID, classify(err))
	}
	open.Photos += coming
	return open, nil
}

// ItemsToErase gives photos of a batch that have their tombstone, in order.
func (s *Store) ItemsToErase(ctx context.Context, batch uuid.UUID, limit int) ([]Erasable, error) {
	rows, err := s.db.QueryContext(ctx, selectErasable+`
		WHERE batch_id = ? AND deleted_at IS NOT NULL ORDER BY batch_line LIMIT ?`, batch[:], limit)
	items, err := collect(rows, err, scanErasable)
	if err != nil {
		return nil, batchError("listing items to erase of", batch, err)
	}
	return items, nil
}
