package ingest

import (
	"context"
	"io"
	"net/http"
	"testing"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

func TestAccountsHaveQuotas(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Quota = QuotaConfig{Photos: 3, Batches: 1, Bodies: 1, Uploads: 1} })
	b := d.expanded(t, d.ann, 2)
	full := d.submitBatch(t, d.ann, ndjson, itemLines(1))
	d.refuses(t, full, 429, problem.CodeQuotaExceeded)
	if full.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	post := func(p person) answer {
		d.quotas.mu.Lock()
		clear(d.quotas.counts) // as if a second had gone by
		d.quotas.mu.Unlock()
		return d.post(t, p, photo(t), nil)
	}
	last := detectionOf(t, post(d.ann), 202).ID
	d.refuses(t, post(d.ann), 429, problem.CodeQuotaExceeded)
	if n := d.photosStored(t); n != 3 {
		t.Errorf("%d photos are stored, want 3", n)
	}
	detectionOf(t, post(d.bob), 202)
	d.complete(t, last)
	detectionOf(t, post(d.ann), 202)
	d.complete(t, d.newest(t, d.ann))
	batchFrom(t, d.ask(t, d.ann, http.MethodPost, batchPath(b.ID)+"/cancel", nil, nil), 202)
	eventually(t, "the batch has ended", func() bool {
		b, err := d.store.FindBatch(t.Context(), b.ID)
		return err == nil && b.State == job.BatchCancelled
	})
	batchFrom(t, d.submitBatch(t, d.ann, ndjson, itemLines(1)), 202)
}

// TestBodiesOfBatchesLeaveRoom: whoever sends batches and does not end keeps neither
// other accounts out nor single photos.
func TestBodiesOfBatchesLeaveRoom(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Quota.Bodies, c.Admission.UploadBytesInFlight = 2, 4*imagestore.PartBytes
	})
	endless, end := context.WithCancel(t.Context())
	defer end()
	for range 2 {
		from, to := io.Pipe()
		defer to.Close()
		go func() {
			_, _ = d.try(endless, d.ann, http.MethodPost, "/v1/batches", from, map[string]string{"Content-Type": ndjson})
		}()
		if _, err := to.Write([]byte(itemLines(1))); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "both hold memory", func() bool { return !d.admission.ofBatch.own.fits(1) })
	d.refuses(t, d.submitBatch(t, d.ann, ndjson, itemLines(1)), 429, problem.CodeQuotaExceeded)
	d.refuses(t, d.submitBatch(t, d.bob, ndjson, itemLines(1)), 503, problem.CodeUnavailable)
	detectionOf(t, d.post(t, d.bob, photo(t), nil), 202)
	end()
	// The memory is given back a moment before the account's place is.
	eventually(t, "they have ended", func() bool { return d.submitBatch(t, d.ann, ndjson, itemLines(1)).status == 202 })
}

func TestLimitsAreTold(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	a := d.ask(t, d.ann, http.MethodGet, "/v1/limits", nil, nil)
	var got limits
	a.into(t, &got)
	if got.Batch.MaxItemsManifest != 50_000 || got.Batch.WindowSeconds != 86400 || got.Uploads.MaxFiles != 1000 || got.Quota.MaxBatches != 100 || got.Quota.MaxUploads != 10_000 || got.Wait.MaxSeconds != 30 {
		t.Errorf("got %s", a.body)
	}
}

// newest is the photo outside of batches that the person submitted last.
func (d *door) newest(t *testing.T, p person) job.ID {
	t.Helper()
	photos, err := d.store.List(t.Context(), jobstore.Filter{OwnerID: p.user.ID, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, photo := range photos {
		if photo.BatchID == (job.ID{}) {
			return photo.ID
		}
	}
	t.Fatal("there is none")
	return job.ID{}
}

// TestQuotaCountsWhatIsToCome: a batch that waits to be expanded, and what is tried again.
func TestQuotaCountsWhatIsToCome(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), func(c *Config) {
		c.Quota.Photos = 3
		c.Expander.Interval = time.Hour
	})
	ended := d.expanded(t, d.ann, 1)
	d.fail(t, job.ItemID(ended.ID, 1))
	d.finalize(t, ended.ID)
	failed := d.failedPhoto(t)
	batchFrom(t, d.submitBatch(t, d.ann, ndjson, itemLines(3)), 202)
	d.refuses(t, d.submitBatch(t, d.ann, ndjson, itemLines(1)), 429, problem.CodeQuotaExceeded)
	d.refuses(t, d.ask(t, d.ann, http.MethodPost, batchPath(ended.ID)+"/retry", nil, nil), 429, problem.CodeQuotaExceeded)
	if got := d.browse(t, http.MethodPost, "/photos/"+failed.String()+"/retry", d.session(t, d.ann), nil, nil).status; got != 429 {
		t.Errorf("the retry of a photo gives %d", got)
	}
	if still, err := d.store.Find(t.Context(), failed); err != nil || still.Row.State != job.StateFailed {
		t.Errorf("after the refused retry it is %s, %v", still.Row.State, err)
	}
}
