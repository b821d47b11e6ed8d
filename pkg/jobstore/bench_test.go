package jobstore_test

import (
	"database/sql"
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
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

// BenchmarkResults measures a stream of a batch's results against a scan of the same
// rows that looks at nothing.
func BenchmarkResults(b *testing.B) {
	const items = 3000
	config, store := open(b)
	db := rawDB(b, config)
	batch := expanded(b, store, uploaded(b, store).OwnerID, items)
	photos, err := store.Items(b.Context(), jobstore.ItemFilter{BatchID: batch.ID, Limit: items})
	if err != nil {
		b.Fatal(err)
	}
	result := job.Result{Faces: make([]job.Face, 3)}
	inParallel(b, photos, func(id job.ID) error {
		p, _, _, err := store.Claim(b.Context(), id, 1, "worker", time.Minute)
		if err != nil {
			return err
		}
		_, err = store.Finish(b.Context(), id, p.Row.Fence, result)
		return err
	})
	var bare, ours time.Duration
	for b.Loop() {
		began := time.Now()
		n := scan(b, db, `SELECT * FROM photos WHERE batch_id = ? ORDER BY batch_line`, batch.ID[:])
		n += scan(b, db, `SELECT f.* FROM photos p JOIN faces f ON f.photo_id = p.id WHERE p.batch_id = ?`, batch.ID[:])
		bare += time.Since(began)

		began = time.Now()
		lines := 0
		for _, err := range store.Results(b.Context(), batch.ID) {
			if err != nil {
				b.Fatal(err)
			}
			lines++
		}
		ours += time.Since(began)
		if lines != items || n != items+3*items {
			b.Fatalf("got %d lines, scanned %d rows", lines, n)
		}
	}
	b.ReportMetric(items*float64(b.N)/ours.Seconds(), "lines/s")
	b.ReportMetric(items*float64(b.N)/bare.Seconds(), "lines/s-scanned")
	b.ReportMetric(ours.Seconds()/bare.Seconds(), "x-bare-scan")
}

// scan reads every row of a query and says how many they were.
func scan(b *testing.B, db *sql.DB, query string, args ...any) (n int) {
	b.Helper()
	rows, err := db.QueryContext(b.Context(), query, args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	into := make([]any, len(columns))
	for i := range into {
		into[i] = new(sql.RawBytes)
	}
	for ; rows.Next(); n++ {
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return n
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
