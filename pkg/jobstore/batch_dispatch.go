package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// ActiveBatch is a batch whose items are dispatched.
type ActiveBatch struct {
	ID        uuid.UUID
	OwnerID   uuid.UUID
	State     job.BatchState
	Remaining int
	OnBroker  int // of its items, that wait there
}

// ActiveBatches gives the batches whose items are dispatched, the oldest first. It
// costs what waits on the broker, not what waits here.
func (s *Store) ActiveBatches(ctx context.Context) ([]ActiveBatch, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT b.id, b.owner_id, b.state, b.remaining, (
			SELECT COUNT(*) FROM photos p
			WHERE p.batch_id = b.id AND p.state = 'queued' AND p.confirmed_at IS NOT NULL AND p.deleted_at IS NULL)
		FROM batches b
		WHERE b.state IN ('queued', 'in_progress') AND b.remaining > 0 AND b.expires_at > UTC_TIMESTAMP(6) AND b.deleted_at IS NULL
		ORDER BY b.id`)
	active, err := collect(rows, err, func(from row) (b ActiveBatch, err error) {
		err = from.Scan(&b.ID, &b.OwnerID, &b.State, &b.Remaining, &b.OnBroker)
		return b, err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for active batches: %w", err)
	}
	return active, nil
}

// DueItems gives items of a batch that wait, are due and are not known to be on the
// broker, in the order in which they became due.
func (s *Store) DueItems(ctx context.Context, batch uuid.UUID, limit int) ([]Waiting, error) {
	return s.waitingItems(ctx, batch, `confirmed_at IS NULL AND run_at <= UTC_TIMESTAMP(6) ORDER BY run_at, id`, limit)
}

// UnseenItems gives items of a batch that wait, are due, and were last seen on the
// broker at least unseenFor ago.
func (s *Store) UnseenItems(ctx context.Context, batch uuid.UUID, unseenFor time.Duration, limit int) ([]Waiting, error) {
	return s.waitingItems(ctx, batch, `confirmed_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND AND run_at <= UTC_TIMESTAMP(6)
		ORDER BY confirmed_at`, unseenFor.Microseconds(), limit)
}

func (s *Store) waitingItems(ctx context.Context, batch uuid.UUID, which string, args ...any) ([]Waiting, error) {
	rows, err := s.db.QueryContext(ctx, selectWaiting+`
		WHERE batch_id = ? AND state = 'queued' AND deleted_at IS NULL AND `+which+` LIMIT ?`, append([]any{batch[:]}, args...)...)
	waiting, err := collect(rows, err, scanWaiting)
	if err != nil {
		return nil, batchError("looking for items to dispatch of", batch, err)
	}
	return waiting, nil
}

// StartBatch notes that the first item of a batch went to the broker.
func (s *Store) StartBatch(ctx context.Context, id uuid.UUID) (bool, error) {
	rows, err := s.exec(ctx, `
		UPDATE batches SET state = ?, started_at = COALESCE(started_at, UTC_TIMESTAMP(6)), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'queued' AND deleted_at IS NULL`, job.BatchInProgress, id[:])
	if err != nil {
		return false, batchError("starting", id, err)
	}
	return rows > 0, nil
}

// SweepBatches moves on what nobody else does: it completes batches whose last item
// has ended, cancels what waits in those being cancelled, and expires what waits in
// those whose window is over. It may run in many processes at once.
func (s *Store) SweepBatches(ctx context.Context, limit int) error {
	rows, err := s.db.QueryContext(ctx, `
		(SELECT id, state FROM batches WHERE state = 'finalizing' AND deleted_at IS NULL LIMIT ?)
		UNION ALL
		(SELECT id, state FROM batches WHERE state = 'cancelling' AND deleted_at IS NULL LIMIT ?)
		UNION ALL
		(SELECT id, state FROM batches WHERE state = 'failed' AND remaining > 0 AND deleted_at IS NULL LIMIT ?)
		UNION ALL
		(SELECT id, state FROM batches
			WHERE state IN ('queued', 'in_progress') AND expires_at <= UTC_TIMESTAMP(6) AND deleted_at IS NULL LIMIT ?)`,
		limit, limit, limit, limit)
	due, err := collect(rows, err, func(from row) (b job.Batch, err error) {
		err = from.Scan(&b.ID, &b.State)
		return b, err
	})
	if err != nil {
		return fmt.Errorf("looking for batches to move on: %w", err)
	}
	for _, b := range due {
		switch b.State {
		case job.BatchFinalizing:
			err = s.finalize(ctx, b.ID)
		case job.BatchCancelling, job.BatchFailed:
			err = s.endWaiting(ctx, b.ID, job.StateCancelled)
		default:
			err = s.endWaiting(ctx, b.ID, job.StateExpired)
		}
		if err != nil {
			return batchError("moving on", b.ID, err)
		}
	}
	return nil
}

// finalize completes a batch of which every item has ended, and sees that none has
// not.
func (s *Store) finalize(ctx context.Context, id uuid.UUID) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		b, err := scanBatch(tx.QueryRowContext(ctx, selectBatches+`
			WHERE id = ? AND state = 'finalizing' AND deleted_at IS NULL AND NOT EXISTS (
				SELECT 1 FROM photos WHERE batch_id = ? AND state IN ('queued', 'processing') AND photos.deleted_at IS NULL)
			FOR UPDATE`, id[:], id[:]))
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		return s.moveBatch(ctx, tx, b, job.BatchCompleted)
	})
}
