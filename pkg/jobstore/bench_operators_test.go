package jobstore_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
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

// fill makes n photos out of one, some of each state, over thirty days.
func fill(tb testing.TB, db *sql.DB, n int) {
	tb.Helper()
	run := func(statement string, args ...any) {
		tb.Helper()
		if _, err := db.ExecContext(tb.Context(), statement, args...); err != nil {
			tb.Fatal(err)
		}
	}
	run(`CREATE TABLE numbers (n INT NOT NULL PRIMARY KEY)`)
	run(`INSERT INTO numbers VALUES (0), (1), (2), (3), (4), (5), (6), (7), (8), (9)`)
	for have := 10; have < n; have *= 10 {
		run(`INSERT INTO numbers SELECT a.n + ? * b.n FROM numbers a JOIN numbers b ON b.n BETWEEN 1 AND 9`, have)
	}
	run(`CREATE TABLE one AS SELECT * FROM photos LIMIT 1`)
	run(`INSERT INTO photos (id, owner_id, lane, source, link, filename, content_type, bytes, width, height, sha256, trace_parent, created_at,
			state, publication, fence, attempts, slot_deaths, worker_id, run_at, touched_at, finished_at, failure_code, original_key, annotated_key, thumbnail_key, category, model_name, model_version)
		SELECT UNHEX(CONCAT(LPAD(HEX(? - n * ?), 12, '0'), '7000', '8000', LPAD(HEX(n), 12, '0'))), owner_id, ELT(1 + n % 2, 'batch', 'interactive'), source, link, filename, content_type, bytes, width, height, sha256, trace_parent, created_at,
			IF(n % 100 = 0, 'failed', IF(n % 100 < 5, 'queued', 'succeeded')), 1, 1, 1, 0, CONCAT('worker-', n % 50), run_at, touched_at,
			IF(n % 100 BETWEEN 1 AND 4, NULL, UTC_TIMESTAMP(6) - INTERVAL n SECOND), IF(n % 100 = 0, IF(n % 300 = 0, 'decoder_crashed', 'inference_timeout'), NULL),
			original_key, '', '', IF(n % 100 >= 5, 'some_masked', NULL), 'maskfleet', '3'
		FROM one JOIN numbers WHERE n < ?`, time.Now().UnixMilli(), (30*24*time.Hour).Milliseconds()/int64(n), n)
	run(`ANALYZE TABLE photos`)
}

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
		"jobs/day":       search(jobstore.Search{From: day, To: day.Add(24 * time.Hour)}),
		"jobs/model":     search(jobstore.Search{State: job.StateFailed, Model: job.Model{Name: "maskfleet", Version: "3"}}),
		"failures":       func(ctx context.Context) error { _, err := store.DeadGroups(ctx); return err },
		"failures/one":   search(jobstore.Search{Dead: true, Code: job.CodeDecoderCrashed, Model: job.Model{Name: "maskfleet", Version: "3"}}),
	}
}

// BenchmarkOperators says how long each read of the operators' pages takes.
func BenchmarkOperators(b *testing.B) {
	config, store := open(b)
	db := rawDB(b, config)
	p := accept(b, store)
	fill(b, db, manyRows())
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
