package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Expansion is a batch in the hands of one expander. Its row is the lease: it
// survives whoever dies, and the database's clock alone ends it.
type Expansion struct {
	Batch  job.Batch
	Holder string // of the lease
	Tries  int    // how often it was begun, this time included
	Lines  int    // up to this line every item has its row
}

// LeaseExpansion takes a batch that waits to be expanded, for lease, in the name of
// holder, which no other expansion may have. Of one owner only one is expanded at a
// time. Owners take turns: first comes who had a batch expanded the longest time ago,
// and of one owner the batch that waits longest. ok is false when none waits whose
// turn it is.
func (s *Store) LeaseExpansion(ctx context.Context, holder string, lease time.Duration) (x Expansion, ok bool, err error) {
	const free = ` state = 'validating' AND deleted_at IS NULL AND (expander_until IS NULL OR expander_until <= UTC_TIMESTAMP(6))`
	const alone = ` AND NOT EXISTS (
		SELECT 1 FROM batches o WHERE o.owner_id = batches.owner_id AND o.state = 'validating' AND o.deleted_at IS NULL
			AND o.expander <> '' AND o.expander_until > UTC_TIMESTAMP(6))`
	const turn = `(SELECT COALESCE(MAX(o.leased_at), 0) FROM batches o WHERE o.owner_id = batches.owner_id)`
	for {
		var id uuid.UUID
		// Who looks at the same moment chooses the same batch, and then has no luck.
		err = s.db.QueryRowContext(ctx, `SELECT id FROM batches WHERE`+free+alone+` ORDER BY `+turn+`, expires_at LIMIT 1`).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return Expansion{}, false, nil
		}
		var rows int64
		if err == nil {
			rows, err = s.exec(ctx, `
				UPDATE batches SET expander = ?, expander_tries = expander_tries + 1, leased_at = UTC_TIMESTAMP(6),
					expander_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
				WHERE id = ? AND`+free, holder, lease.Microseconds(), id[:])
		}
		if err != nil {
			return Expansion{}, false, batchError("leasing", id, classify(err))
		}
		if rows == 0 {
			continue // another was first
		}
		x.Holder = holder
		x.Batch, err = s.FindBatch(ctx, id)
		if err == nil {
			err = classify(s.db.QueryRowContext(ctx, `SELECT expander_tries, expanded_lines FROM batches WHERE id = ?`, id[:]).
				Scan(&x.Tries, &x.Lines))
		}
		return x, err == nil, err
	}
}

// KeepExpansion prolongs the lease; false means that it is lost, or the batch
// cancelled or deleted: stop.
func (s *Store) KeepExpansion(ctx context.Context, id uuid.UUID, holder string, lease time.Duration) (bool, error) {
	return s.whileExpanding(ctx, id, holder, `expander_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND`, lease.Microseconds())
}

// ReleaseExpansion gives the batch back for somebody to take after a while, as if
// it had not been begun: a store was away, or the holder stops.
func (s *Store) ReleaseExpansion(ctx context.Context, id uuid.UUID, holder string, after time.Duration) (bool, error) {
	return s.whileExpanding(ctx, id, holder, `expander = '', expander_tries = expander_tries - 1,
		expander_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND`, after.Microseconds())
}

// Expanded says that every item has its row: from here on they are dispatched.
func (s *Store) Expanded(ctx context.Context, id uuid.UUID, holder string) (bool, error) {
	return s.whileExpanding(ctx, id, holder, `state = ?, expander_until = NULL`, job.BatchQueued)
}

func (s *Store) whileExpanding(ctx context.Context, id uuid.UUID, holder, set string, args ...any) (bool, error) {
	rows, err := s.exec(ctx, `
		UPDATE batches SET `+set+`, touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND expander = ? AND state = 'validating' AND deleted_at IS NULL`, append(args, id[:], holder)...)
	if err != nil {
		return false, batchError("expanding", id, err)
	}
	return rows > 0, nil
}

// AddItems stores the next items of a batch, at least one, in the order of their
// lines and without a gap, and closes the uploads that they name; false means that the
// lease is lost and nothing stored. A process that dies leaves all of them or none, and Expansion.Lines says which.
func (s *Store) AddItems(ctx context.Context, id uuid.UUID, holder string, photos []job.Photo) (bool, error) {
	statement, args, err := insertPhotos(photos...)
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
				return err
			}
			counted, err := found(tx.ExecContext(ctx, `
				UPDATE batches SET total = total + ?, remaining = remaining + ?, expanded_lines = ?, touched_at = UTC_TIMESTAMP(6)
				WHERE id = ? AND expander = ? AND state = 'validating' AND deleted_at IS NULL AND expanded_lines = ?`,
				len(photos), len(photos), photos[len(photos)-1].BatchLine, id[:], holder, photos[0].BatchLine-1))
			if err == nil && !counted {
				return errBatchClosed
			}
			if use, args := useUploads(photos); err == nil && len(args) > 0 {
				_, err = tx.ExecContext(ctx, use, args...)
			}
			return err
		})
	}
	switch {
	case errors.Is(err, errBatchClosed), errorNumber(err) == errDuplicate:
		return false, nil
	case err != nil:
		return false, batchError("adding items to", id, err)
	}
	return true, nil
}

// RefuseBatch fails a batch as a whole; items that have their rows are cancelled.
func (s *Store) RefuseBatch(ctx context.Context, id uuid.UUID, holder string, f *job.BatchFailure) (changed bool, err error) {
	text, err := encodeFailure(f)
	if err == nil {
		err = s.inTx(ctx, func(tx *sql.Tx) error {
			changed, err = found(tx.ExecContext(ctx, `
				UPDATE batches SET failure = ?, expander_until = NULL WHERE id = ? AND expander = ? AND state = 'validating' AND deleted_at IS NULL`,
				text, id[:], holder))
			if err != nil || !changed {
				return err
			}
			return s.moveBatch(ctx, tx, job.Batch{ID: id}, job.BatchFailed)
		})
	}
	if err != nil {
		return false, batchError("refusing", id, err)
	}
	if changed {
		_ = s.endWaiting(ctx, id, job.StateCancelled) // what is left is swept
	}
	return changed, nil
}
