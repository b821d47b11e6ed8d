package jobstore

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

// This file is for operators' pages that stay open: every statement reads a part of one
// index and no row, however many photos there are.

// OpenPhotos is what waits or is in hand.
type OpenPhotos struct {
	Queued, Processing int
	Oldest             time.Duration // since the oldest queued photo became due
}

// CountOpen counts what waits and what is in hand. It costs that much, and not what
// there is of finished photos.
func (s *Store) CountOpen(ctx context.Context) (w OpenPhotos, err error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT state, COUNT(*), TIMESTAMPDIFF(MICROSECOND, MIN(run_at), UTC_TIMESTAMP(6))
		FROM photos WHERE state IN ('queued', 'processing') AND deleted_at IS NULL GROUP BY state`)
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var state job.State
		var n int
		var oldest micros
		err := from.Scan(&state, &n, &oldest)
		if state == job.StateProcessing {
			w.Processing = n
		} else {
			w.Queued, w.Oldest = n, max(oldest.duration(), 0)
		}
		return struct{}{}, err
	})
	if err != nil {
		return OpenPhotos{}, fmt.Errorf("counting open work: %w", err)
	}
	return w, nil
}

// LaneQueue is what of a lane waits.
type LaneQueue struct {
	Queued   int
	OnBroker int           // of them, known to lie there
	Batches  int           // of them, items of batches
	Outside  int           // of those in no batch, not known to lie on the broker
	Oldest   time.Duration // since the first of them became due; 0: none is
}

// CountLanes counts what waits in each lane. Other than the rest of this file it reads
// the rows of what waits: ask every few seconds, while somebody looks.
func (s *Store) CountLanes(ctx context.Context) (map[job.Lane]LaneQueue, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT lane, COUNT(*), COUNT(confirmed_at), COUNT(batch_id), SUM(batch_id IS NULL AND confirmed_at IS NULL),
			COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(run_at), UTC_TIMESTAMP(6)), 0)
		FROM photos WHERE state = 'queued' AND deleted_at IS NULL GROUP BY lane`)
	lanes := map[job.Lane]LaneQueue{}
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var lane job.Lane
		var q LaneQueue
		var oldest micros
		err := from.Scan(&lane, &q.Queued, &q.OnBroker, &q.Batches, &q.Outside, &oldest)
		q.Oldest = max(oldest.duration(), 0)
		lanes[lane] = q
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("counting what waits in the lanes: %w", err)
	}
	return lanes, nil
}

// Minute is what happened in one minute, the last sixty seconds being the first.
type Minute struct {
	Accepted, Succeeded, Failed int
}

// Pace says what happened in each of the last minutes, the latest first. Photos of a
// batch count as accepted when their batch was.
func (s *Store) Pace(ctx context.Context, minutes int) ([]Minute, error) {
	pace := make([]Minute, minutes)
	now := time.Now()
	rows, err := s.db.QueryContext(ctx, `
		SELECT (? - CONV(HEX(LEFT(id, 6)), 16, 10)) DIV 60000 AS ago, COUNT(*) FROM photos
		WHERE state IN ('queued', 'processing', 'succeeded', 'failed', 'cancelled', 'expired') AND id >= ?
		GROUP BY ago`, now.UnixMilli(), firstID(now.Add(-time.Duration(minutes)*time.Minute)))
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var ago, n int
		err := from.Scan(&ago, &n)
		pace[min(max(ago, 0), minutes-1)].Accepted += n // a clock may be ahead of ours
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("reading the pace of acceptance: %w", err)
	}
	rows, err = s.db.QueryContext(ctx, `
		SELECT TIMESTAMPDIFF(SECOND, finished_at, UTC_TIMESTAMP(6)) DIV 60 AS ago, state, COUNT(*) FROM photos
		WHERE state IN ('succeeded', 'failed') AND finished_at > UTC_TIMESTAMP(6) - INTERVAL ? MINUTE
		GROUP BY ago, state`, minutes)
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var ago, n int
		var state job.State
		if err := from.Scan(&ago, &state, &n); err != nil {
			return struct{}{}, err
		}
		m := &pace[min(max(ago, 0), minutes-1)]
		if state == job.StateFailed {
			m.Failed += n
		} else {
			m.Succeeded += n
		}
		return struct{}{}, nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the pace of the work: %w", err)
	}
	return pace, nil
}
