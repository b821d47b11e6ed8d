package jobstore_test

import (
	"context"
	"flag"
	"fmt"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// manyRows is how many photos the operators' pages are measured with:
// go test ./pkg/jobstore -run '^$' -bench Operators -args -rows 1000000.
func manyRows() int {
	const name, usual = "rows", 20_000
	if f := flag.Lookup(name); f != nil {
		if n, is := f.Value.(flag.Getter).Get().(int); is {
			return n
		}
	}
	return usual
}

var _ = flag.Int("rows", 20_000, "photos with which operators' pages are measured")

// operatorsReads are what the operators' pages ask for, by page.
func operatorsReads(store *jobstore.Store, p job.Photo) map[string]func(context.Context) error {
	search := func(f jobstore.Search) func(context.Context) error {
		return func(ctx context.Context) error {
			f.Limit = 51
			_, err := store.SearchPhotos(ctx, f)
			return err
		}
	}
	day := time.Now().Add(-10 * 24 * time.Hour)
	return map[string]func(context.Context) error{
		"overview/open":  func(ctx context.Context) error { _, err := store.CountOpen(ctx); return err },
		"overview/pace":  func(ctx context.Context) error { _, err := store.Pace(ctx, 30); return err },
		"queue/lanes":    func(ctx context.Context) error { _, err := store.CountLanes(ctx); return err },
		"queue/line":     func(ctx context.Context) error { _, err := store.WaitingInLine(ctx); return err },
		"jobs/all":       search(jobstore.Search{}),
		"jobs/state":     search(jobstore.Search{State: job.StateFailed}),
		"jobs/canary":    search(jobstore.Search{Lane: job.LaneCanary}),
		"jobs/lane":      search(jobstore.Search{Lane: job.LaneBatch, State: job.StateQueued}),
		"jobs/code":      search(jobstore.Search{Code: job.CodeDecoderCrashed}),
		"jobs/no-code":   search(jobstore.Search{Code: job.CodeFetchStatus}),
		"jobs/owner":     search(jobstore.Search{OwnerID: p.OwnerID, State: job.StateFailed}),
		"jobs/worker":    search(jobstore.Search{Worker: "worker-7"}),
		"jobs/no-worker": search(jobstore.Search{Worker: "nobody"}),
		"jobs/list":      search(jobstore.Search{Category: job.CategoryAllMasked}),
		"jobs/worker2":   search(jobstore.Search{Worker: "worker-7", State: job.StateFailed}),
		"jobs/canary2":   search(jobstore.Search{Lane: job.LaneCanary, State: job.StateSucceeded}),
		"jobs/day":       search(jobstore.Search{From: day, To: day.Add(24 * time.Hour)}),
		"jobs/model":     search(jobstore.Search{State: job.StateFailed, Model: job.Model{Name: "maskfleet", Version: "3"}}),
		"failures":       func(ctx context.Context) error { _, err := store.DeadGroups(ctx); return err },
		"failures/one":   search(jobstore.Search{Dead: true, Code: job.CodeDecoderCrashed, Model: job.Model{Name: "maskfleet", Version: "3"}}),
	}
}

// BenchmarkOperators says how long each read of the operators' pages takes.
func BenchmarkOperators(b *testing.B) {
	config, store := open(b)
	p := accept(b, store)
	testenv.ManyPhotos(b, config, manyRows())
	for name, read := range operatorsReads(store, p) {
		b.Run(fmt.Sprintf("%s/%d", name, manyRows()), func(b *testing.B) {
			for b.Loop() {
				if err := read(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/read")
		})
	}
}
