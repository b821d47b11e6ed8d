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

// Line is the queue of photos outside of batches: those that wait and are due, by the
// seconds in which they became due, the first first.
type Line []Arrivals

// Arrivals are the photos of one second that wait.
type Arrivals struct {
	Photos      int
	First, Last time.Time // when the first and the last of them became due
}

// Photos is how many wait.
func (l Line) Photos() (n int) {
	for _, a := range l {
		n += a.Photos
	}
	return n
}

// Oldest is for how long the first has been waiting at now; zero if none does.
func (l Line) Oldest(now time.Time) time.Duration {
	if len(l) == 0 {
		return 0
	}
	return max(0, now.Sub(l[0].First))
}

// Before is how many became due before the given time. Within a second they are
// reckoned to have come evenly.
func (l Line) Before(due time.Time) (n float64) {
	for _, a := range l {
		switch {
		case !due.After(a.First):
			return n
		case due.Before(a.Last):
			return n + float64(a.Photos-1)*due.Sub(a.First).Seconds()/a.Last.Sub(a.First).Seconds()
		case due.Equal(a.Last):
			return n + float64(a.Photos-1)
		}
		n += float64(a.Photos)
	}
	return n
}

// WaitingInLine measures the queue of photos outside of batches. It reads what waits
// there: ask every few seconds.
func (s *Store) WaitingInLine(ctx context.Context) (Line, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT COUNT(*), MIN(run_at), MAX(run_at) FROM photos
		WHERE batch_id IS NULL AND state = 'queued' AND run_at <= UTC_TIMESTAMP(6) AND deleted_at IS NULL
		GROUP BY TO_SECONDS(run_at) ORDER BY 2`)
	l, err := collect(rows, err, func(from row) (a Arrivals, err error) {
		err = from.Scan(&a.Photos, &a.First, &a.Last)
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("measuring the queue: %w", err)
	}
	return l, nil
}

// WaitingSince counts the photos outside of batches that were accepted at or after
// since and before the given one, and still wait. It reads that part of the primary
// key.
func (s *Store) WaitingSince(ctx context.Context, since time.Time, before job.ID) (n int, err error) {
	err = s.db.QueryRowContext(ctx, `
		SELECT COUNT(*) FROM photos WHERE id >= ? AND id < ? AND batch_id IS NULL AND state = 'queued' AND deleted_at IS NULL`,
		firstID(since), before[:]).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting those that came since: %w", classify(err))
	}
	return n, nil
}
