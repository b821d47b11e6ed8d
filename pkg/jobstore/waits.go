package jobstore

import (
	"context"
	"fmt"
	"time"
)

// Waits is how photos fared that were accepted within a time and have got their result.
type Waits struct {
	Photos  int
	Late    int // those that waited longer than they should
	Longest time.Duration
}

// scanned is how much time one statement looks at, so that each answers within the
// time that a connection is waited for.
const scanned = time.Hour

// MeasureWaits says how long photos waited for a worker that were accepted at or after
// from and before to, by the clocks of who accepted them. A photo that was tried again
// waited until its last try. It reads every photo of that time: about two seconds for a million.
func (s *Store) MeasureWaits(ctx context.Context, from, to time.Time, late time.Duration) (w Waits, err error) {
	err = piecewise(from, to, func(from, to time.Time) error {
		var piece Waits
		var longest micros
		err := s.db.QueryRowContext(ctx, `
			SELECT COUNT(*), COALESCE(SUM(queued_us > ?), 0), COALESCE(MAX(queued_us), 0) FROM photos
			WHERE id >= ? AND id < ? AND state = 'succeeded'`, late.Microseconds(), firstID(from), firstID(to)).Scan(&piece.Photos, &piece.Late, &longest)
		w = Waits{w.Photos + piece.Photos, w.Late + piece.Late, max(w.Longest, longest.duration())}
		return classify(err)
	})
	if err != nil {
		return Waits{}, fmt.Errorf("measuring waits: %w", err)
	}
	return w, nil
}

// piecewise does something for each piece of a time.
func piecewise(from, to time.Time, do func(from, to time.Time) error) error {
	for ; from.Before(to); from = from.Add(scanned) {
		end := from.Add(scanned)
		if end.After(to) {
			end = to
		}
		if err := do(from, end); err != nil {
			return err
		}
	}
	return nil
}

// SampleServices gives, for a fair sample of one in every so many of the photos that
// MeasureWaits counts, how long each kept a slot: fetched, looked at and stored. It
// reads as much.
func (s *Store) SampleServices(ctx context.Context, from, to time.Time, every int) (services []time.Duration, _ error) {
	err := piecewise(from, to, func(from, to time.Time) error {
		rows, err := s.db.QueryContext(ctx, `
			SELECT total_us - queued_us FROM photos
			WHERE id >= ? AND id < ? AND state = 'succeeded' AND MOD(CRC32(id), ?) = 0`, firstID(from), firstID(to), max(1, every))
		piece, err := collect(rows, err, func(from row) (time.Duration, error) {
			var took micros
			err := from.Scan(&took)
			return took.duration(), err
		})
		services = append(services, piece...)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("sampling services: %w", err)
	}
	return services, nil
}
