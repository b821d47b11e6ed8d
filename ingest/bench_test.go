package ingest

import (
	"fmt"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

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
