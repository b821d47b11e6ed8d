package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"maskfleet/pkg/job"
)

// This file holds every statement that changes one photo: its acceptance, one for
// each line of job.Table, and its removal. The guards and changes of the table are
// written once more here, as SQL; conformance_test.go holds the two together. Those
// that change many photos of a batch at once stand in transitions_batch.go.
//
// Each statement is an UPDATE with its guard in the WHERE, so that the database
// decides in one step, by its own clock, and of two actors at once one loses.

// claimTries is how often a claim looks again at a row that changed under it.
const claimTries = 5

// Accept stores a new photo. When it returns nil, the photo is promised: from here
// on it reaches a terminal state. It begins as job.Accepted says, whatever p.Row
// holds, and is due at once.
func (s *Store) Accept(ctx context.Context, p job.Photo) error {
	statement, args, err := insertPhotos(p)
	if err == nil {
		_, err = s.exec(ctx, statement, args...)
	}
	if err != nil {
		return fmt.Errorf("accepting photo %s: %w", p.ID, err)
	}
	return nil
}

// insertPhotos is the statement that stores new photos, at least one.
func insertPhotos(photos ...job.Photo) (string, []any, error) {
	begin := job.Accepted()
	var args []any
	for _, p := range photos {
		metadata, err := encodeMap(p.Metadata)
		if err != nil {
			return "", nil, err
		}
		args = append(args,
			p.ID[:], p.OwnerID[:], p.Lane, idOrNull(p.BatchID), lineOrNull(p.BatchLine), p.CustomID, p.Run,
			p.Source, p.Link, p.Filename, p.ContentType, p.Bytes, p.Width, p.Height, p.SHA256, metadata,
			p.TraceParent, p.CreatedAt, p.OriginalKey,
			begin.State, begin.Publication, begin.Fence, begin.Attempts, begin.SlotDeaths)
	}
	return `
		INSERT INTO photos (
			id, owner_id, lane, batch_id, batch_line, custom_id, run,
			source, link, filename, content_type, bytes, width, height, sha256, metadata,
			trace_parent, created_at, original_key,
			state, publication, fence, attempts, slot_deaths, annotated_key, thumbnail_key, worker_id, run_at, touched_at
		) VALUES ` + list(`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
			'', '', '', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`, len(photos)), args, nil
}

// Confirm notes that the broker holds, or has just held, the publication.
func (s *Store) Confirm(ctx context.Context, id job.ID, publication int) (bool, error) {
	return s.change(ctx, job.EventConfirm, id, `
		UPDATE photos SET confirmed_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state IN ('queued', 'processing') AND publication = ? AND deleted_at IS NULL`,
		id[:], publication)
}

// Republish raises the publication of a photo that is due and not on the broker;
// the caller then publishes it as publication+1.
func (s *Store) Republish(ctx context.Context, id job.ID, publication int) (bool, error) {
	return s.change(ctx, job.EventRepublish, id, `
		UPDATE photos SET publication = publication + 1, confirmed_at = NULL, touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'queued' AND publication = ? AND deleted_at IS NULL AND run_at <= UTC_TIMESTAMP(6)`,
		id[:], publication)
}

// Claim takes the photo for a worker until the lease is over, and gives it as it
// stands then, with the fence that every later word about it must carry. A refused
// claim says why; with job.RefusedEarly the duration is the time until run_at.
// The photo is complete but for RefusedUnknown, when there is none.
func (s *Store) Claim(ctx context.Context, id job.ID, publication int, workerID string, lease time.Duration) (job.Photo, job.Refusal, time.Duration, error) {
	for range claimTries {
		p, claimed, err := s.tryClaim(ctx, id, publication, workerID, lease)
		switch refusal := job.Refuse(p.Row, job.Input{Publication: publication}); {
		case errors.Is(err, ErrNotFound):
			return job.Photo{}, job.RefusedUnknown, 0, nil
		case err != nil:
			return job.Photo{}, job.RefusedNone, 0, fmt.Errorf("claiming photo %s: %w", id, err)
		case claimed:
			return p.Photo, job.RefusedNone, 0, nil
		case refusal == job.RefusedEarly:
			return p.Photo, refusal, p.dueIn, nil
		case refusal != job.RefusedNone:
			return p.Photo, refusal, 0, nil
		}
		// Between the UPDATE and the SELECT it became free to claim: look again.
	}
	return job.Photo{}, job.RefusedNone, 0, fmt.Errorf("claiming photo %s: refused for no reason of the protocol", id)
}

func (s *Store) tryClaim(ctx context.Context, id job.ID, publication int, workerID string, lease time.Duration) (p storedPhoto, claimed bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		claimed, err = found(tx.ExecContext(ctx, `
			UPDATE photos SET state = 'processing', fence = fence + 1, attempts = attempts + 1, worker_id = ?,
				claimed_at = UTC_TIMESTAMP(6), lease_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND,
				confirmed_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
			WHERE id = ? AND publication = ? AND deleted_at IS NULL AND attempts < ?
				AND (state = 'processing' OR (state = 'queued' AND run_at <= UTC_TIMESTAMP(6)))`,
			workerID, lease.Microseconds(), id[:], publication, job.MaxAttempts))
		if err != nil {
			return err
		}
		p, err = scanPhoto(tx.QueryRowContext(ctx, selectPhotos+` WHERE id = ? FOR UPDATE`, id[:]))
		return err
	})
	return p, claimed, err
}

// Exhaust fails a photo whose last attempt was lost with its worker, which shows
// when its message comes again.
func (s *Store) Exhaust(ctx context.Context, id job.ID, publication int) (bool, error) {
	return s.end(ctx, job.EventExhaust, id, job.StateFailed, `
		UPDATE photos SET state = 'failed', fence = fence + 1, lease_until = NULL, failure_code = ?, failure_cause = NULL,
			finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND publication = ? AND deleted_at IS NULL AND attempts >= ?`,
		job.CodeWorkerLost, id[:], publication, job.MaxAttempts)
}

// Finish stores the result and its faces, both or neither, if the fence is still
// the worker's.
func (s *Store) Finish(ctx context.Context, id job.ID, fence int, r job.Result) (changed bool, err error) {
	counts := job.Count(r.Faces)
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		changed, err = found(tx.ExecContext(ctx, `
			UPDATE photos SET state = 'succeeded', lease_until = NULL, failure_code = NULL, failure_cause = NULL,
				category = ?, num_faces = ?, num_masked = ?, num_unmasked = ?, model_name = ?, model_version = ?,
				queued_us = ?, fetch_us = ?, inference_us = ?, total_us = ?, width = ?, height = ?,
				annotated_key = ?, thumbnail_key = ?, original_key = COALESCE(NULLIF(?, ''), original_key),
				content_type = COALESCE(NULLIF(?, ''), content_type), bytes = COALESCE(NULLIF(?, 0), bytes),
				sha256 = COALESCE(NULLIF(?, ''), sha256), finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
			WHERE id = ? AND state = 'processing' AND fence = ?`,
			counts.Category(), counts.Faces, counts.Masked, counts.Unmasked, r.Model.Name, r.Model.Version,
			r.Timing.Queued.Microseconds(), r.Timing.Fetch.Microseconds(), r.Timing.Inference.Microseconds(), r.Timing.Total.Microseconds(),
			r.Width, r.Height, r.AnnotatedKey, r.ThumbnailKey, r.OriginalKey,
			r.ContentType, r.Bytes, r.SHA256,
			id[:], fence))
		if err != nil || !changed {
			return err
		}
		if err := insertFaces(ctx, tx, id, r.Faces); err != nil {
			return err
		}
		return s.ended(ctx, tx, id, succeeded(counts))
	})
	if err != nil {
		return false, transitionError(job.EventFinish, id, err)
	}
	return changed, nil
}

// BackOff notes a failed attempt and lets the photo wait for delay; the same
// message comes again. Refused when no attempts are left: then Fail.
func (s *Store) BackOff(ctx context.Context, id job.ID, fence int, f *job.Failure, delay time.Duration) (bool, error) {
	return s.change(ctx, job.EventBackOff, id, `
		UPDATE photos SET state = 'queued', lease_until = NULL, slot_deaths = slot_deaths + ?, failure_code = ?, failure_cause = ?,
			run_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND fence = ? AND attempts < ?`,
		deaths(f), f.Code, cause(f), delay.Microseconds(), id[:], fence, job.MaxAttempts)
}

// Defer is BackOff for longer waits: the message in hand is done with, and the
// publisher makes a new one when delay is over.
func (s *Store) Defer(ctx context.Context, id job.ID, fence int, f *job.Failure, delay time.Duration) (bool, error) {
	return s.change(ctx, job.EventDefer, id, `
		UPDATE photos SET state = 'queued', lease_until = NULL, slot_deaths = slot_deaths + ?, failure_code = ?, failure_cause = ?,
			publication = publication + 1, confirmed_at = NULL,
			run_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND fence = ? AND attempts < ?`,
		deaths(f), f.Code, cause(f), delay.Microseconds(), id[:], fence, job.MaxAttempts)
}

// Fail ends the photo with the failure.
func (s *Store) Fail(ctx context.Context, id job.ID, fence int, f *job.Failure) (bool, error) {
	return s.end(ctx, job.EventFail, id, job.StateFailed, `
		UPDATE photos SET state = 'failed', lease_until = NULL, slot_deaths = slot_deaths + ?, failure_code = ?, failure_cause = ?,
			model_name = ?, model_version = ?, finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND fence = ?`,
		deaths(f), f.Code, cause(f), f.Model.Name, f.Model.Version, id[:], fence)
}

// Release gives the photo back untried: it waits again, due at once, and the
// attempt does not count.
func (s *Store) Release(ctx context.Context, id job.ID, fence int) (bool, error) {
	return s.change(ctx, job.EventRelease, id, `
		UPDATE photos SET state = 'queued', lease_until = NULL, attempts = attempts - 1,
			run_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND fence = ?`,
		id[:], fence)
}

// Recover takes a photo from a worker whose lease is over and lets it wait again,
// due at once, as publication+1.
func (s *Store) Recover(ctx context.Context, id job.ID, publication int) (bool, error) {
	return s.change(ctx, job.EventRecover, id, `
		UPDATE photos SET state = 'queued', lease_until = NULL, fence = fence + 1,
			publication = publication + 1, confirmed_at = NULL,
			run_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND publication = ? AND deleted_at IS NULL
			AND lease_until <= UTC_TIMESTAMP(6) AND attempts < ?`,
		id[:], publication, job.MaxAttempts)
}

// Abandon fails a photo whose lease is over and that has no attempts left.
func (s *Store) Abandon(ctx context.Context, id job.ID, publication int) (bool, error) {
	return s.end(ctx, job.EventAbandon, id, job.StateFailed, `
		UPDATE photos SET state = 'failed', fence = fence + 1, lease_until = NULL, failure_code = ?, failure_cause = NULL,
			finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'processing' AND publication = ? AND deleted_at IS NULL
			AND lease_until <= UTC_TIMESTAMP(6) AND attempts >= ?`,
		job.CodeWorkerLost, id[:], publication, job.MaxAttempts)
}

// MarkDeadLettered notes that DEAD has acknowledged the failure.
func (s *Store) MarkDeadLettered(ctx context.Context, id job.ID, publication int) (bool, error) {
	return s.change(ctx, job.EventDeadLetter, id, `
		UPDATE photos SET dead_lettered_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'failed' AND publication = ?`,
		id[:], publication)
}

// Cancel ends a photo that still waits.
func (s *Store) Cancel(ctx context.Context, id job.ID) (bool, error) {
	return s.end(ctx, job.EventCancel, id, job.StateCancelled, `
		UPDATE photos SET state = 'cancelled', failure_code = ?, failure_cause = NULL,
			finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'queued' AND deleted_at IS NULL`,
		job.CodeCancelled, id[:])
}

// Expire ends a photo that waited past its window.
func (s *Store) Expire(ctx context.Context, id job.ID) (bool, error) {
	return s.end(ctx, job.EventExpire, id, job.StateExpired, `
		UPDATE photos SET state = 'expired', failure_code = ?, failure_cause = NULL,
			finished_at = UTC_TIMESTAMP(6), touched_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND state = 'queued' AND deleted_at IS NULL`,
		job.CodeExpired, id[:])
}

// Reopen gives a failed or expired photo all its attempts anew. That of a batch is
// queued in a run of the batch that goes on or begins; without one, see
// job.BatchEventRetry, it is refused.
func (s *Store) Reopen(ctx context.Context, id job.ID) (changed bool, err error) {
	return s.Redrive(ctx, id, 0, "")
}

// Redrive is Reopen for a photo that is to be due after a while, in another lane
// perhaps; the empty lane is its own.
func (s *Store) Redrive(ctx context.Context, id job.ID, after time.Duration, lane job.Lane) (changed bool, err error) {
	for _, from := range []job.State{job.StateFailed, job.StateExpired} {
		changed, err = s.reopenFrom(ctx, id, from, after, lane)
		switch {
		case errors.Is(err, errBatchClosed):
			return false, nil
		case err != nil:
			return false, transitionError(job.EventReopen, id, err)
		case changed:
			return true, nil
		}
	}
	return false, nil
}

// setReopened gives a photo all its attempts anew, and forgets how it ended. When it
// is due is for the statement to say.
const setReopened = `state = 'queued', publication = publication + 1, confirmed_at = NULL,
	attempts = 0, slot_deaths = 0, worker_id = '', claimed_at = NULL, finished_at = NULL, dead_lettered_at = NULL,
	discarded_at = NULL, failure_code = NULL, failure_cause = NULL, model_name = '', model_version = '',
	touched_at = UTC_TIMESTAMP(6)`

// ownLane is that of a photo outside of tries in the canary lane.
const ownLane = `IF(lane = 'canary', IF(batch_id IS NULL, 'interactive', 'batch'), lane)`

func (s *Store) reopenFrom(ctx context.Context, id job.ID, from job.State, after time.Duration, lane job.Lane) (changed bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		changed, err = found(tx.ExecContext(ctx, `
			UPDATE photos SET `+setReopened+`, lane = COALESCE(NULLIF(?, ''), `+ownLane+`), run_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
			WHERE id = ? AND state = ? AND deleted_at IS NULL`,
			lane, after.Microseconds(), id[:], from))
		if err != nil || !changed {
			return err
		}
		item, err := readItem(ctx, tx, id)
		if err != nil || item.batch == nil {
			return err
		}
		run, err := reopenBatch(ctx, tx, *item.batch, reopened{from: 1})
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `UPDATE photos SET run = ? WHERE id = ?`, run, id[:])
		return err
	})
	return changed, err
}

// Delete sets the tombstone: from here on nobody finds the photo, and a worker that
// has it in hand loses it. The caller removes its objects, then calls Remove.
func (s *Store) Delete(ctx context.Context, id job.ID) (changed bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		changed, err = found(tx.ExecContext(ctx, `
			UPDATE photos SET deleted_at = UTC_TIMESTAMP(6), fence = fence + 1, touched_at = UTC_TIMESTAMP(6)
			WHERE id = ? AND deleted_at IS NULL`,
			id[:]))
		if err != nil || !changed {
			return err
		}
		item, err := readItem(ctx, tx, id)
		if err != nil || item.batch == nil || item.state.Terminal() {
			return err
		}
		return s.countItems(ctx, tx, *item.batch, ending{state: job.StateCancelled, photos: 1})
	})
	if err == nil {
		err = s.forgetAnswers(ctx, id)
	}
	if err != nil {
		return false, transitionError(job.EventDelete, id, err)
	}
	return changed, nil
}

// Remove deletes a row that has its tombstone, its faces, and kept answers about it. It
// is the last step of a deletion and may be repeated, by several at once, too; removed
// is true for one of them at most.
func (s *Store) Remove(ctx context.Context, id job.ID) (removed bool, err error) {
	if err := s.forgetAnswers(ctx, id); err != nil { // of an item, or if Delete did not get there
		return false, fmt.Errorf("removing photo %s: %w", id, err)
	}
	rows, err := s.exec(ctx, `DELETE FROM photos WHERE id = ? AND deleted_at IS NOT NULL`, id[:])
	if err != nil {
		return false, fmt.Errorf("removing photo %s: %w", id, err)
	}
	return rows > 0, nil
}

func (s *Store) change(ctx context.Context, e job.Event, id job.ID, statement string, args ...any) (bool, error) {
	rows, err := s.exec(ctx, statement, args...)
	if err != nil {
		return false, transitionError(e, id, err)
	}
	return rows > 0, nil
}

// end is change for transitions that end the photo, with what else must then stand
// in the same transaction.
func (s *Store) end(ctx context.Context, e job.Event, id job.ID, to job.State, statement string, args ...any) (changed bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if changed, err = found(tx.ExecContext(ctx, statement, args...)); err != nil || !changed {
			return err
		}
		return s.ended(ctx, tx, id, ending{state: to, photos: 1})
	})
	if err != nil {
		return false, transitionError(e, id, err)
	}
	return changed, nil
}

func transitionError(e job.Event, id job.ID, err error) error {
	return fmt.Errorf("transition %q of photo %s: %w", e, id, err)
}

// found says whether a guarded statement found its row.
func found(r sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	rows, err := r.RowsAffected()
	return rows > 0, err
}

func deaths(f *job.Failure) int {
	if f.SlotDeath {
		return 1
	}
	return 0
}

// causeBytes is how much of a cause's text is kept.
const causeBytes = 4096

// cause is the text of a failure's cause, made fit for a column, or nil.
func cause(f *job.Failure) any {
	if f.Cause == nil {
		return nil
	}
	text := f.Cause.Error()
	return strings.ToValidUTF8(text[:min(len(text), causeBytes)], "�")
}
