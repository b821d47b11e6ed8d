package jobstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

const selectBatches = `
	SELECT id, owner_id, source, source_key, prefix, trace_parent, created_at, window_us, announced,
		state, run, total, remaining, succeeded, failed, cancelled, expired,
		no_faces, all_masked, none_masked, some_masked, num_faces, num_masked, num_unmasked,
		failure, started_at, finished_at, expires_at
	FROM batches`

func scanBatch(from row) (b job.Batch, err error) {
	var window micros
	c := &b.Counts
	err = from.Scan(&b.ID, &b.OwnerID, &b.Source, &b.SourceKey, &b.Prefix, &b.TraceParent, &b.CreatedAt, &window, &b.Announced,
		&b.State, &b.Run, &c.Total, &c.Remaining, &c.Succeeded, &c.Failed, &c.Cancelled, &c.Expired,
		&c.NoFaces, &c.AllMasked, &c.NoneMasked, &c.SomeMasked, &c.Faces.Faces, &c.Faces.Masked, &c.Faces.Unmasked,
		failureColumn{&b.Failure}, timeColumn{&b.StartedAt}, timeColumn{&b.DoneAt}, &b.ExpiresAt)
	if errors.Is(err, sql.ErrNoRows) {
		return job.Batch{}, ErrNotFound
	}
	b.Window = window.duration()
	return b, err
}

// failureColumn reads the JSON of a batch's failure; NULL is none.
type failureColumn struct{ to **job.BatchFailure }

func (c failureColumn) Scan(value any) error { return decodeJSON(value, c.to) }

// CreateBatch stores a new batch, whose manifest or archive lies in S3 already. When
// it returns nil, the batch is promised: it is expanded and reaches a terminal state.
// It begins validating, in run 1, and without items, whatever b holds.
func (s *Store) CreateBatch(ctx context.Context, b job.Batch) error {
	_, err := s.exec(ctx, `
		INSERT INTO batches (
			id, owner_id, source, source_key, prefix, trace_parent, created_at, window_us, announced,
			state, touched_at, expires_at
		) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)`,
		b.ID[:], b.OwnerID[:], b.Source, b.SourceKey, b.Prefix, b.TraceParent, b.CreatedAt, b.Window.Microseconds(), b.Announced,
		job.BatchValidating, b.Window.Microseconds())
	if err != nil {
		return batchError("creating", b.ID, err)
	}
	return nil
}

// FindBatch gives a batch. One that is being deleted is ErrNotFound.
func (s *Store) FindBatch(ctx context.Context, id uuid.UUID) (job.Batch, error) {
	b, err := scanBatch(s.db.QueryRowContext(ctx, selectBatches+` WHERE id = ? AND deleted_at IS NULL`, id[:]))
	if err != nil {
		return job.Batch{}, batchError("finding", id, classify(err))
	}
	return b, nil
}

// BatchFilter picks the batches of one owner; its other zero fields do not restrict.
type BatchFilter struct {
	OwnerID uuid.UUID // required
	State   job.BatchState
	Before  uuid.UUID // the last batch of the page before this one
	Limit   int       // required, at least 1
}

// ListBatches gives an owner's batches, the newest first.
func (s *Store) ListBatches(ctx context.Context, f BatchFilter) ([]job.Batch, error) {
	where, args := ` WHERE owner_id = ? AND deleted_at IS NULL`, []any{f.OwnerID[:]}
	if f.State != "" {
		where, args = where+` AND state = ?`, append(args, f.State)
	}
	if f.Before != (uuid.UUID{}) {
		where, args = where+` AND id < ?`, append(args, f.Before[:])
	}
	rows, err := s.db.QueryContext(ctx, selectBatches+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	batches, err := collect(rows, err, scanBatch)
	if err != nil {
		return nil, fmt.Errorf("listing batches of %s: %w", f.OwnerID, err)
	}
	return batches, nil
}

// CancelBatch lets what is in hand finish and ends all the rest. It changes nothing
// of a batch that is at rest or being cancelled already. Once it returns true the
// batch will be cancelled, even if the process dies before every item is.
func (s *Store) CancelBatch(ctx context.Context, id uuid.UUID) (bool, error) {
	from := job.BatchFrom(job.BatchEventCancel)
	rows, err := s.exec(ctx, `
		UPDATE batches SET state = ?, touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND deleted_at IS NULL AND state IN (`+list(`?`, len(from))+`)`,
		arguments([]any{job.BatchCancelling, id[:]}, from)...)
	if err != nil {
		return false, batchError("cancelling", id, err)
	}
	if rows == 0 {
		return false, nil
	}
	_ = s.endWaiting(ctx, id, job.StateCancelled) // what is left is swept
	return true, nil
}

// RetryBatch queues the failed and expired items of a batch at rest anew, as its
// next run, and says how many; none: nothing was changed.
func (s *Store) RetryBatch(ctx context.Context, id uuid.UUID) (items int, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		b, err := scanBatch(tx.QueryRowContext(ctx, selectBatches+` WHERE id = ? AND deleted_at IS NULL`, id[:]))
		if err != nil {
			return err
		}
		items = 0
		if !b.MayRetry() {
			return nil
		}
		photos := reopened{}
		for _, state := range []job.State{job.StateFailed, job.StateExpired} {
			if photos[state], err = reopenItems(ctx, tx, id, state, b.Run+1); err != nil {
				return err
			}
			items += photos[state]
		}
		if items == 0 {
			return nil
		}
		run, err := reopenBatch(ctx, tx, id, photos)
		if err == nil && run != b.Run+1 {
			return errBatchClosed // another was first
		}
		return err
	})
	switch {
	case errors.Is(err, errBatchClosed):
		return 0, nil
	case err != nil:
		return 0, batchError("retrying", id, err)
	}
	return items, nil
}

// BatchDeletion is what a deletion took away.
type BatchDeletion struct {
	Items int // photos with their results and objects
}

// DeleteBatch sets the tombstones of a batch and of all its items: from here on
// nobody finds them. Their objects and rows are removed afterwards; see
// ItemsToErase, BatchTombstones and RemoveBatch. A batch that was deleted before is
// ErrNotFound.
func (s *Store) DeleteBatch(ctx context.Context, id uuid.UUID) (BatchDeletion, error) {
	rows, err := s.exec(ctx, `
		UPDATE batches SET deleted_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6) WHERE id = ? AND deleted_at IS NULL`, id[:])
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	var gone BatchDeletion
	if err == nil {
		err = s.forgetAnswers(ctx, id)
	}
	if err == nil {
		gone.Items, err = s.deleteItems(ctx, id)
	}
	if err != nil {
		return BatchDeletion{}, batchError("deleting", id, err)
	}
	return gone, nil
}

// BatchTombstones gives batches whose deletion began at least olderThan ago and did
// not end.
func (s *Store) BatchTombstones(ctx context.Context, olderThan time.Duration, limit int) ([]job.Batch, error) {
	rows, err := s.db.QueryContext(ctx, selectBatches+`
		WHERE deleted_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND ORDER BY deleted_at LIMIT ?`, olderThan.Microseconds(), limit)
	batches, err := collect(rows, err, scanBatch)
	if err != nil {
		return nil, fmt.Errorf("looking for tombstones of batches: %w", err)
	}
	return batches, nil
}

// RemoveBatch deletes the row of a batch that has its tombstone and no items any
// more. It gives those items that were left without a tombstone one first, and says
// whether the row is gone.
func (s *Store) RemoveBatch(ctx context.Context, id uuid.UUID) (bool, error) {
	if _, err := s.deleteItems(ctx, id); err != nil {
		return false, batchError("removing", id, err)
	}
	if err := s.forgetAnswers(ctx, id); err != nil {
		return false, batchError("removing", id, err)
	}
	rows, err := s.exec(ctx, `
		DELETE FROM batches WHERE id = ? AND deleted_at IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM photos WHERE batch_id = ?)`, id[:], id[:])
	if err != nil {
		return false, batchError("removing", id, err)
	}
	return rows > 0, nil
}

// arguments appends states to the arguments of a statement.
func arguments[T any](args []any, more []T) []any {
	for _, one := range more {
		args = append(args, one)
	}
	return args
}

func encodeFailure(f *job.BatchFailure) (string, error) {
	text, err := json.Marshal(f)
	return string(text), err
}
