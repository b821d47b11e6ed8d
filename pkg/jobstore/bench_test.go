package jobstore_test

import (
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// BenchmarkClaimAndFinish measures a photo's two transitions at a worker against
// the same number of plain UPDATEs of a row by its key, by as many goroutines. The
// ratio says what guards, transactions and faces cost; absolute times say little,
// for the server does not wait for its disk here.
func BenchmarkClaimAndFinish(b *testing.B) {
	config, store := open(b)
	db := rawDB(b, config)
	db.SetMaxIdleConns(config.MaxConns)
	photos := make([]job.Photo, b.N)
	first := accept(b, store)
	for i := range photos {
		photos[i] = first
		photos[i].ID = newID(b)
		if err := store.Accept(b.Context(), photos[i]); err != nil {
			b.Fatal(err)
		}
	}
	result := job.Result{Faces: make([]job.Face, 3)}

	bare := inParallel(b, photos, func(id job.ID) error {
		for range 2 {
			_, err := db.ExecContext(b.Context(), `UPDATE photos SET touched_at = UTC_TIMESTAMP(6) WHERE id = ?`, id[:])
			if err != nil {
				return err
			}
		}
		return nil
	})
	b.ResetTimer()
	ours := inParallel(b, photos, func(id job.ID) error {
		p, _, _, err := store.Claim(b.Context(), id, 1, "worker", time.Minute)
		if err != nil {
			return err
		}
		_, err = store.Finish(b.Context(), id, p.Row.Fence, result)
		return err
	})
	b.ReportMetric(float64(b.N)/ours.Seconds(), "photos/s")
	b.ReportMetric(ours.Seconds()/bare.Seconds(), "x-bare-updates")
}

// inParallel does something for every photo, eight at a time, and says how long it took.
func inParallel(b *testing.B, photos []job.Photo, do func(job.ID) error) time.Duration {
	b.Helper()
	var next atomic.Int64
	begin := time.Now()
	together(8, func(int) struct{} {
		for i := next.Add(1) - 1; i < int64(len(photos)); i = next.Add(1) - 1 {
			if err := do(photos[i].ID); err != nil {
				b.Error(err)
			}
		}
		return struct{}{}
	})
	return time.Since(begin)
}
