package jobstore

import (
	"context"
	"database/sql"
	"errors"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// This file holds the statements that change many photos of a batch at once. Each
// is a line of job.Table for every photo whose guard holds; see transitions.go.

// photosAtOnce is how many photos one statement changes: their locks are kept until
// its transaction commits, and workers wait for them.
const photosAtOnce = 1000

// endWaiting cancels or expires what waits in a batch that is being cancelled, that
// failed, or whose window is over. What is in hand finishes and counts.
func (s *Store) endWaiting(ctx context.Context, batch uuid.UUID, to job.State) error {
	code := job.CodeCancelled
	mayEnd := `state IN ('cancelling', 'failed')`
	if to == job.StateExpired {
		code = job.CodeExpired
		mayEnd = `state IN ('queued', 'in_progress') AND expires_at <= UTC_TIMESTAMP(6)`
	}
	for {
		var photos int64
		err := s.inTx(ctx, func(tx *sql.Tx) error {
			ended, err := tx.ExecContext(ctx, `
				UPDATE photos SET state = ?, failure_code = ?, failure_cause = NULL,
					finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
				WHERE batch_id = ? AND state = 'queued' AND deleted_at IS NULL ORDER BY batch_line LIMIT ?`,
				to, code, batch[:], photosAtOnce)
			if err != nil {
				return err
			}
			if photos, err = ended.RowsAffected(); err != nil {
				return err
			}
			var one int
			err = tx.QueryRowContext(ctx, `SELECT 1 FROM batches WHERE id = ? AND deleted_at IS NULL AND `+mayEnd+` FOR UPDATE`, batch[:]).Scan(&one)
			if errors.Is(err, sql.ErrNoRows) {
				return errBatchClosed // it was retried or deleted meanwhile
			}
			if err != nil {
				return err
			}
			return s.countItems(ctx, tx, batch, ending{state: to, photos: int(photos)})
		})
		if errors.Is(err, errBatchClosed) {
			return nil
		}
		if err != nil || photos < photosAtOnce {
			return err
		}
	}
}

// reopenItems queues a batch's photos of one state anew, and says how many.
func reopenItems(ctx context.Context, tx *sql.Tx, batch uuid.UUID, state job.State, run int) (photos int, err error) {
	for {
		done, err := tx.ExecContext(ctx, `
			UPDATE photos SET `+setReopened+`, lane = `+ownLane+`, run = ?, run_at = UTC_TIMESTAMP(6)
			WHERE batch_id = ? AND state = ? AND deleted_at IS NULL ORDER BY batch_line LIMIT ?`,
			run, batch[:], state, photosAtOnce)
		if err != nil {
			return 0, err
		}
		rows, err := done.RowsAffected()
		if err != nil {
			return 0, err
		}
		photos += int(rows)
		if rows < photosAtOnce {
			return photos, nil
		}
	}
}

// deleteItems sets the tombstones of a deleted batch's photos, and says of how many.
// Nothing is counted: the batch is gone.
func (s *Store) deleteItems(ctx context.Context, batch uuid.UUID) (photos int, err error) {
	for {
		rows, err := s.exec(ctx, `
			UPDATE photos SET deleted_at = UTC_TIMESTAMP(6), fence = fence + 1, touched_at = UTC_TIMESTAMP(6)
			WHERE batch_id = ? AND deleted_at IS NULL ORDER BY batch_line LIMIT ?`, batch[:], photosAtOnce)
		if err != nil {
			return photos, err
		}
		photos += int(rows)
		if rows < photosAtOnce {
			return photos, nil
		}
	}
}
