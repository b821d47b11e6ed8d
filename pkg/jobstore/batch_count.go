package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Locks are always taken in one order, photos before their batch: whoever counts in
// a batch has changed its photos in the same transaction already.

// errBatchClosed says that the batch's state does not allow what was asked.
var errBatchClosed = errors.New("batch is closed")

// ending is how many photos of a batch came to which end.
type ending struct {
	state    job.State
	photos   int
	category job.Category // of the one photo that succeeded
	faces    job.Counts
}

func succeeded(faces job.Counts) ending {
	return ending{state: job.StateSucceeded, photos: 1, category: faces.Category(), faces: faces}
}

// of gives the number of photos if they came to that end.
func (e ending) of(s job.State) int {
	if e.state == s {
		return e.photos
	}
	return 0
}

func (e ending) in(c job.Category) int {
	if e.category == c {
		return e.photos
	}
	return 0
}

// ended completes the transaction in which a photo came to an end. (One that had
// been deleted was counted then.)
func (s *Store) ended(ctx context.Context, tx *sql.Tx, id job.ID, e ending) error {
	if err := s.outbox.tellPhoto(ctx, tx, id); err != nil {
		return err
	}
	item, err := readItem(ctx, tx, id)
	if err != nil || item.batch == nil || item.deleted {
		return err
	}
	return s.countItems(ctx, tx, *item.batch, e)
}

// item is what counting must know of a photo.
type item struct {
	state   job.State
	batch   *uuid.UUID // nil outside of batches
	deleted bool
}

// readItem reads a photo that this transaction has changed already. To lock one
// before would be to lock its index entries in another order than the guards do.
func readItem(ctx context.Context, tx *sql.Tx, id job.ID) (i item, err error) {
	err = tx.QueryRowContext(ctx, `SELECT state, batch_id, deleted_at IS NOT NULL FROM photos WHERE id = ?`, id[:]).
		Scan(&i.state, nullID{&i.batch}, &i.deleted)
	return i, err
}

// countItems takes photos that came to an end from the batch's open ones. Who takes
// the last brings the batch to rest.
func (s *Store) countItems(ctx context.Context, tx *sql.Tx, batch uuid.UUID, e ending) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE batches SET remaining = remaining - ?,
			succeeded = succeeded + ?, failed = failed + ?, cancelled = cancelled + ?, expired = expired + ?,
			no_faces = no_faces + ?, all_masked = all_masked + ?, none_masked = none_masked + ?, some_masked = some_masked + ?,
			num_faces = num_faces + ?, num_masked = num_masked + ?, num_unmasked = num_unmasked + ?,
			touched_at = UTC_TIMESTAMP(6)
		WHERE id = ?`,
		e.photos,
		e.of(job.StateSucceeded), e.of(job.StateFailed), e.of(job.StateCancelled), e.of(job.StateExpired),
		e.in(job.CategoryNoFaces), e.in(job.CategoryAllMasked), e.in(job.CategoryNoneMasked), e.in(job.CategorySomeMasked),
		e.faces.Faces, e.faces.Masked, e.faces.Unmasked,
		batch[:])
	if err != nil {
		return err
	}
	var remaining int
	err = tx.QueryRowContext(ctx, `SELECT remaining FROM batches WHERE id = ?`, batch[:]).Scan(&remaining)
	if errors.Is(err, sql.ErrNoRows) || remaining > 0 {
		return nil // without a row: all of the batch is being erased
	}
	if err != nil {
		return err
	}
	return s.rest(ctx, tx, batch)
}

// rest moves a batch on of which no item is open.
func (s *Store) rest(ctx context.Context, tx *sql.Tx, batch uuid.UUID) error {
	b, err := scanBatch(tx.QueryRowContext(ctx, selectBatches+` WHERE id = ? AND deleted_at IS NULL FOR UPDATE`, batch[:]))
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	next, moves := b.AtRest()
	if !moves {
		return nil
	}
	return s.moveBatch(ctx, tx, b, next)
}

// moveBatch gives a locked batch its next state, with what must stand together with
// an end.
func (s *Store) moveBatch(ctx context.Context, tx *sql.Tx, b job.Batch, to job.BatchState) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE batches SET state = ?, finished_at = IF(?, UTC_TIMESTAMP(6), NULL), touched_at = UTC_TIMESTAMP(6) WHERE id = ?`,
		to, to.Terminal(), b.ID[:])
	if err != nil || !to.Terminal() {
		return err
	}
	b, err = scanBatch(tx.QueryRowContext(ctx, selectBatches+` WHERE id = ?`, b.ID[:]))
	if err != nil {
		return err
	}
	return s.outbox.tellBatch(ctx, tx, b)
}

// reopened is how many photos of each state are queued again.
type reopened map[job.State]int

// reopenBatch counts photos as open that had ended, and gives the run in which they
// are queued: a new one if the batch was at rest.
func reopenBatch(ctx context.Context, tx *sql.Tx, batch uuid.UUID, photos reopened) (run int, err error) {
	failed, expired := photos[job.StateFailed], photos[job.StateExpired]
	b, err := scanBatch(tx.QueryRowContext(ctx, selectBatches+` WHERE id = ? AND deleted_at IS NULL FOR UPDATE`, batch[:]))
	if err != nil {
		return 0, err
	}
	if !b.Goes() && !b.MayRetry() {
		return 0, errBatchClosed
	}
	if b.MayRetry() {
		b.Run++
		_, err = tx.ExecContext(ctx, `
			UPDATE batches SET state = ?, run = ?, finished_at = NULL, failure = NULL,
				expires_at = UTC_TIMESTAMP(6) + INTERVAL window_us MICROSECOND
			WHERE id = ?`, job.BatchInProgress, b.Run, batch[:])
		if err != nil {
			return 0, err
		}
	}
	_, err = tx.ExecContext(ctx, `
		UPDATE batches SET remaining = remaining + ?, failed = failed - ?, expired = expired - ?, touched_at = UTC_TIMESTAMP(6)
		WHERE id = ?`, failed+expired, failed, expired, batch[:])
	return b.Run, err
}

func batchError(doing string, id uuid.UUID, err error) error {
	return fmt.Errorf("%s batch %s: %w", doing, id, err)
}
