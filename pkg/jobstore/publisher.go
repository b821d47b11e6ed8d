package jobstore

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

// Waiting is what the publisher must know of a photo it looks after.
type Waiting struct {
	ID          job.ID
	Lane        job.Lane
	Publication int
	Attempts    int
	SlotDeaths  int
	WorkerID    string // of the last claim
	TraceParent string
	Confirmed   bool      // the broker was seen to hold this publication
	RunAt       time.Time // since when it is due, if it waits
	FailureCode job.Code  // of the last attempt; empty if none failed
}

// Message is the photo's message of the given publication.
func (w Waiting) Message(publication int) job.Message {
	return job.NewMessage(job.Photo{ID: w.ID, Lane: w.Lane, TraceParent: w.TraceParent}, publication)
}

// DeadLetter is the record of the photo's end, failed at the given time.
func (w Waiting) DeadLetter(reason job.Code, failedAt time.Time) job.DeadLetter {
	return job.DeadLetter{
		PhotoID: w.ID, Lane: w.Lane, Publication: w.Publication, Reason: reason, Message: job.Fail(reason, nil).Message(),
		Attempts: w.Attempts, SlotDeaths: w.SlotDeaths, WorkerID: w.WorkerID, FailedAt: failedAt, TraceParent: w.TraceParent,
	}
}

const selectWaiting = `
	SELECT id, lane, publication, attempts, slot_deaths, worker_id, trace_parent, confirmed_at IS NOT NULL, run_at,
		COALESCE(failure_code, '')
	FROM photos`

func scanWaiting(from row) (w Waiting, err error) {
	err = from.Scan(&w.ID, &w.Lane, &w.Publication, &w.Attempts, &w.SlotDeaths, &w.WorkerID, &w.TraceParent, &w.Confirmed, &w.RunAt,
		&w.FailureCode)
	return w, err
}

// Unconfirmed gives photos outside of batches that wait, are due, were last touched at least
// untouchedFor ago and are not known to be on the broker: those that follow after,
// the last of the page before, in the order in which they became due. The zero
// Waiting is before the first page.
func (s *Store) Unconfirmed(ctx context.Context, untouchedFor time.Duration, after Waiting, limit int) ([]Waiting, error) {
	since := after.RunAt
	if since.IsZero() {
		since = time.Unix(0, 0).UTC() // MySQL's calendar has no year 1
	}
	// The order is that of the index, whose entries end with the id: nothing is sorted.
	rows, err := s.db.QueryContext(ctx, selectWaiting+`
		WHERE batch_id IS NULL AND state = 'queued' AND confirmed_at IS NULL AND run_at <= UTC_TIMESTAMP(6) AND deleted_at IS NULL
			AND touched_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
			AND run_at >= ? AND (run_at > ? OR id > ?)
		ORDER BY run_at, id LIMIT ?`,
		untouchedFor.Microseconds(), since, since, after.ID[:], limit)
	due, err := collect(rows, err, scanWaiting)
	if err != nil {
		return nil, fmt.Errorf("looking for unconfirmed photos: %w", err)
	}
	return due, nil
}

// Unseen gives photos outside of batches that wait, are due, and were last seen on the broker at least
// unseenFor ago. It costs what it gives, not what waits.
func (s *Store) Unseen(ctx context.Context, unseenFor time.Duration, limit int) ([]Waiting, error) {
	rows, err := s.db.QueryContext(ctx, selectWaiting+`
		WHERE batch_id IS NULL AND state = 'queued' AND confirmed_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
			AND run_at <= UTC_TIMESTAMP(6) AND deleted_at IS NULL
		ORDER BY confirmed_at LIMIT ?`,
		unseenFor.Microseconds(), limit)
	due, err := collect(rows, err, scanWaiting)
	if err != nil {
		return nil, fmt.Errorf("looking for photos unseen on the broker: %w", err)
	}
	return due, nil
}

// LeasesOver gives photos in hand of workers whose lease is over, to be recovered
// or, without attempts left, abandoned.
func (s *Store) LeasesOver(ctx context.Context, limit int) ([]Waiting, error) {
	rows, err := s.db.QueryContext(ctx, selectWaiting+`
		WHERE state = 'processing' AND lease_until <= UTC_TIMESTAMP(6) AND deleted_at IS NULL
		ORDER BY lease_until LIMIT ?`, limit)
	over, err := collect(rows, err, scanWaiting)
	if err != nil {
		return nil, fmt.Errorf("looking for leases that are over: %w", err)
	}
	return over, nil
}

// DeadLettersDue gives the dead letters of photos that failed at least olderThan
// ago and that DEAD is not known to hold.
func (s *Store) DeadLettersDue(ctx context.Context, olderThan time.Duration, limit int) ([]job.DeadLetter, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, lane, publication, attempts, slot_deaths, worker_id, trace_parent, COALESCE(failure_code, ''), finished_at
		FROM photos
		WHERE state = 'failed' AND dead_lettered_at IS NULL AND finished_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
			AND deleted_at IS NULL
		ORDER BY finished_at LIMIT ?`, olderThan.Microseconds(), limit)
	due, err := collect(rows, err, func(from row) (job.DeadLetter, error) {
		var w Waiting
		var failedAt time.Time
		err := from.Scan(&w.ID, &w.Lane, &w.Publication, &w.Attempts, &w.SlotDeaths, &w.WorkerID, &w.TraceParent, &w.FailureCode, &failedAt)
		return w.DeadLetter(w.FailureCode, failedAt), err
	})
	if err != nil {
		return nil, fmt.Errorf("looking for dead letters: %w", err)
	}
	return due, nil
}

// Counts says how many photos are in each state, and how long the oldest one that
// is due has waited since it became due. It reads one index from end to end: ask
// every few seconds, not for every request.
func (s *Store) Counts(ctx context.Context) (counts map[job.State]int, oldestWait time.Duration, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT state, COUNT(*), TIMESTAMPDIFF(MICROSECOND, MIN(run_at), UTC_TIMESTAMP(6))
		FROM photos WHERE deleted_at IS NULL GROUP BY state`)
	counts = map[job.State]int{}
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var state job.State
		var count int
		var wait micros
		err := from.Scan(&state, &count, &wait)
		counts[state] = count
		if state == job.StateQueued {
			oldestWait = max(wait.duration(), 0)
		}
		return struct{}{}, err
	})
	if err != nil {
		return nil, 0, fmt.Errorf("counting photos: %w", err)
	}
	return counts, oldestWait, nil
}

// CanaryOutsideBroker counts what waits in the canary lane and is not known to be on the
// broker, due or not: photos outside of batches, and items of batches. It reads all that
// ever was in the lane and still has a row, and is for while something waits there.
func (s *Store) CanaryOutsideBroker(ctx context.Context) (photos, items int, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT COUNT(IF(batch_id IS NULL, 1, NULL)), COUNT(batch_id) FROM photos
		WHERE lane = 'canary' AND state = 'queued' AND confirmed_at IS NULL AND deleted_at IS NULL`).Scan(&photos, &items)
	if err != nil {
		return 0, 0, fmt.Errorf("counting what waits in the canary lane: %w", classify(err))
	}
	return photos, items, nil
}

// WaitingOutsideBroker counts the photos outside of batches that wait and are not known to be on the
// broker, due or not.
func (s *Store) WaitingOutsideBroker(ctx context.Context) (int, error) {
	var count int
	err := s.db.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM photos WHERE batch_id IS NULL AND state = 'queued' AND confirmed_at IS NULL AND deleted_at IS NULL`).Scan(&count)
	if err != nil {
		return 0, fmt.Errorf("counting photos outside the broker: %w", classify(err))
	}
	return count, nil
}
