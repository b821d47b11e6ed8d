package jobstore

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

// Service is how fast photos of a lane ended of late.
type Service struct {
	Photos int           // that a worker ended
	Took   time.Duration // each, on average, from its claim to its end
}

// Served says how fast photos were looked at during the last window. It reads what
// ended then: ask every few seconds, not for every request.
func (s *Store) Served(ctx context.Context, window time.Duration) (map[job.Lane]Service, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT lane, COUNT(*), CAST(COALESCE(AVG(TIMESTAMPDIFF(MICROSECOND, claimed_at, finished_at)), 0) AS SIGNED)
		FROM photos
		WHERE state IN ('succeeded', 'failed') AND finished_at > UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
		GROUP BY lane`, window.Microseconds())
	served := map[job.Lane]Service{}
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var lane job.Lane
		var photos int
		var took micros
		err := from.Scan(&lane, &photos, &took)
		served[lane] = Service{Photos: photos, Took: took.duration()}
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("measuring the service: %w", err)
	}
	return served, nil
}

// Line is the queue of photos outside of batches.
type Line struct {
	Photos int           // that wait and are due
	Oldest time.Duration // since the first of them became due
}

// WaitingInLine measures the queue of photos outside of batches. It reads what waits
// there: ask every few seconds.
func (s *Store) WaitingInLine(ctx context.Context) (l Line, err error) {
	var oldest micros
	err = s.db.QueryRowContext(ctx, `
		SELECT COUNT(*), COALESCE(TIMESTAMPDIFF(MICROSECOND, MIN(run_at), UTC_TIMESTAMP(6)), 0) FROM photos
		WHERE batch_id IS NULL AND state = 'queued' AND run_at <= UTC_TIMESTAMP(6) AND deleted_at IS NULL`).Scan(&l.Photos, &oldest)
	if err != nil {
		return Line{}, fmt.Errorf("measuring the queue: %w", classify(err))
	}
	l.Oldest = oldest.duration()
	return l, nil
}
