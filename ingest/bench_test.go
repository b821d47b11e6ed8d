package ingest

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
)

// manifestOfLines is a manifest made while it is read.
type manifestOfLines struct {
	line func(i int) string
	next int
	most int
	rest string
}

func (m *manifestOfLines) Read(into []byte) (int, error) {
	if m.rest == "" {
		if m.next == m.most {
			return 0, io.EOF
		}
		m.next++
		m.rest = m.line(m.next)
	}
	n := copy(into, m.rest)
	m.rest = m.rest[n:]
	return n, nil
}

// BenchmarkBatchAccepted measures how long it takes until a manifest is answered 202,
// and until every item of it waits for a worker, and how the heap grows meanwhile.
// The goal is 10,000 items in less than 10 s, and 20 MB.
func BenchmarkBatchAccepted(b *testing.B) {
	for _, items := range []int{10_000, 50_000} {
		b.Run(fmt.Sprint(items), func(b *testing.B) {
			d := openDoor(b, sharedStores(b), nil)
			var answered, expanded time.Duration
			for b.Loop() {
				peak := watchHeap()
				began := time.Now()
				a := d.ask(b, d.ann, http.MethodPost, "/v1/batches", &manifestOfLines{most: items, line: func(i int) string {
					return fmt.Sprintf(`{"custom_id":"gate-7-%06d","image":{"s3_uri":"s3://cameras/2026/11/23/gate-7/%06d.jpg"}}`+"\n", i, i)
				}}, map[string]string{"Content-Type": ndjson})
				batch := batchFrom(b, a, http.StatusAccepted)
				answered += time.Since(began)
				b.ReportMetric(float64(peak())/1e6, "MB-heap-grown")
				for batch.Status == job.BatchValidating {
					batch = batchFrom(b, d.ask(b, d.ann, http.MethodGet, batchPath(batch.ID)+"?wait=1", nil, nil), http.StatusOK)
				}
				expanded += time.Since(began)
				if batch.Counts.Total != items {
					b.Fatalf("got %+v", batch)
				}
			}
			b.ReportMetric(answered.Seconds()/float64(b.N), "s-until-202")
			b.ReportMetric(expanded.Seconds()/float64(b.N), "s-until-queued")
		})
	}
}

// watchHeap gives a function that says how far the heap grew meanwhile.
func watchHeap() func() uint64 {
	var now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&now)
	before := now.HeapInuse
	var peak atomic.Uint64
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			var now runtime.MemStats
			runtime.ReadMemStats(&now)
			peak.Store(max(peak.Load(), now.HeapInuse))
			select {
			case <-stop:
				return
			case <-tick.C:
			}
		}
	}()
	return func() uint64 {
		close(stop)
		<-done
		return peak.Load() - min(before, peak.Load())
	}
}

// BenchmarkResults measures the stream of a finished batch's results. The goal is
// 20,000 lines a second.
func BenchmarkResults(b *testing.B) {
	const items = 2000
	d := openDoor(b, sharedStores(b), nil)
	batch := d.expanded(b, d.ann, items)
	var working errgroup.Group
	working.SetLimit(8)
	for line := 1; line <= items; line++ {
		working.Go(func() error { return d.succeed(b, job.ItemID(batch.ID, line)) })
	}
	if err := working.Wait(); err != nil {
		b.Fatal(err)
	}
	for name, query := range map[string]string{"ndjson": "", "csv": "?format=csv", "gzip": ""} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, d.url+batchPath(batch.ID)+"/results"+query, http.NoBody)
				if err != nil {
					b.Fatal(err)
				}
				request.Header.Set("Authorization", "Bearer "+d.ann.key)
				request.Header.Set("Accept-Encoding", strings.ReplaceAll(name, "ndjson", "identity"))
				response, err := d.client.Do(request)
				if err != nil {
					b.Fatal(err)
				}
				n, err := io.Copy(io.Discard, response.Body)
				_ = response.Body.Close()
				if err != nil || response.StatusCode != http.StatusOK {
					b.Fatalf("%s: %v", response.Status, err)
				}
				b.SetBytes(n)
			}
			b.ReportMetric(items*float64(b.N)/b.Elapsed().Seconds(), "lines/s")
		})
	}
}

// succeed plays the worker for one item, without its pictures.
func (d *door) succeed(tb testing.TB, id job.ID) error {
	photo, _, _, err := d.store.Claim(tb.Context(), id, d.publicationOf(tb, id), "w-test", time.Minute)
	if err != nil {
		return err
	}
	face := job.Face{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 230, YMin: 86, XMax: 326, YMax: 184}}
	_, err = d.store.Finish(tb.Context(), id, photo.Row.Fence, job.Result{
		Width: 1920, Height: 1080, AnnotatedKey: imagestore.ResultKey(photo, photo.Row.Fence, "annotated"),
		Model: job.Model{Name: "maskdet-416", Version: "2026-11"}, Faces: []job.Face{face, face, face},
		Timing: job.Timing{Queued: 18 * time.Millisecond, Fetch: 3 * time.Millisecond, Inference: 14 * time.Millisecond, Total: 41 * time.Millisecond},
	})
	return err
}
