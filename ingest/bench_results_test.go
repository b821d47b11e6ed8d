package ingest

import (
	"io"
	"net/http"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
)

// BenchmarkResults measures the stream of a finished batch's results, against what the
// store gives of the same rows to whoever only counts them. The goal is 20,000 lines a
// second: less than 50 µs of CPU each.
func BenchmarkResults(b *testing.B) {
	const items = 5000
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
	perSecond := map[string]float64{}
	b.Run("store", func(b *testing.B) {
		m := newMeter(b)
		for b.Loop() {
			for _, err := range d.store.Results(b.Context(), batch.ID) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
		perSecond["store"] = m.stop(items*b.N, "line")
	})
	for _, c := range []struct{ name, query, coding string }{
		{"ndjson", "", "identity"}, {"csv", "?format=csv", "identity"}, {"gzip", "", "gzip"},
	} {
		b.Run(c.name, func(b *testing.B) {
			m := newMeter(b)
			for b.Loop() {
				d.download(b, batchPath(batch.ID)+"/results"+c.query, c.coding)
			}
			perSecond[c.name] = m.stop(items*b.N, "line")
			b.ReportMetric(perSecond[c.name]/perSecond["store"], "of-store")
		})
	}
}

// download reads an answer and forgets it.
func (d *door) download(tb testing.TB, path, coding string) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, d.url+path, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+d.ann.key)
	request.Header.Set("Accept-Encoding", coding)
	response, err := d.client.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	if err != nil || response.StatusCode != http.StatusOK {
		tb.Fatalf("%s: %v", response.Status, err)
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
