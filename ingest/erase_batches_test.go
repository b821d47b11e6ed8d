package ingest

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// TestDeletedBatchLeavesNothing: photos, what was submitted, and the rows.
func TestDeletedBatchLeavesNothing(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	upload, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	uploaded := imagestore.UploadKey(d.ann.user.ID, upload)
	if err := d.images.Put(t.Context(), uploaded, "image/jpeg", photo(t)); err != nil {
		t.Fatal(err)
	}
	a := d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(
		`{"custom_id":"a","image":{"base64":"/9j/"}}`+"\n"+`{"custom_id":"b","image":{"upload_id":"`+upload.String()+`"}}`,
	), map[string]string{"Content-Type": ndjson})
	var b batchAnswer
	a.into(t, &b)
	var original string
	eventually(t, "the batch is dispatched", func() bool {
		items, err := d.store.Items(t.Context(), jobstore.ItemFilter{BatchID: b.ID, Limit: 2})
		if err != nil || len(items) < 2 || !items[0].Row.Confirmed || !items[1].Row.Confirmed {
			return false
		}
		original = items[0].OriginalKey
		return true
	})
	manifest := imagestore.ManifestKey(job.Batch{ID: b.ID, CreatedAt: time.Time(b.CreatedAt)})
	if _, err := d.images.Get(t.Context(), original, 1<<20); err != nil {
		t.Fatal(err)
	}
	eventually(t, "what it was made of is gone, and it is not", func() bool {
		_, err := d.images.Get(t.Context(), manifest, 1<<20)
		return errors.Is(err, imagestore.ErrNotFound)
	})
	d.ask(t, d.ann, http.MethodPost, "/v1/batches/"+b.ID.String()+"/cancel", nil, nil)
	eventually(t, "the batch is cancelled", func() bool {
		d.ask(t, d.ann, http.MethodGet, "/v1/batches/"+b.ID.String(), nil, nil).into(t, &b)
		return b.Status == job.BatchCancelled
	})
	if a := d.ask(t, d.ann, http.MethodDelete, "/v1/batches/"+b.ID.String(), nil, nil); a.status != http.StatusOK {
		t.Fatalf("deleting: %d %s", a.status, a.body)
	}
	// A worker takes the messages away, whose photos are gone.
	for range 2 {
		message, err := d.queue.FetchWait(t.Context(), job.LaneBatch, patience)
		if err != nil || message == nil {
			t.Fatalf("got %v, %v, want an item's message", message, err)
		}
		if err := message.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "nothing is left of it", func() bool {
		for _, key := range []string{original, manifest, uploaded} {
			if _, err := d.images.Get(t.Context(), key, 1<<20); !errors.Is(err, imagestore.ErrNotFound) {
				return false
			}
		}
		there, err := d.store.BatchesThere(t.Context(), []uuid.UUID{b.ID})
		return err == nil && !there[b.ID]
	})
}

// TestItemsOfADeletedBatchAreGoneAtOnce: also those that nobody has erased yet and
// whose results are cached.
func TestItemsOfADeletedBatchAreGoneAtOnce(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Erase.EraseInterval = time.Hour })
	b := d.expanded(t, d.ann, 2)
	for line := range 2 {
		id := job.ItemID(b.ID, line+1)
		d.complete(t, id)
		detectionOf(t, d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+id.String(), nil, nil), 200)
		if _, cached, err := d.cache.Result(t.Context(), id); err != nil || !cached {
			t.Fatalf("its result is not cached: %v", err)
		}
	}
	if gone, err := d.eraser.markBatch(t.Context(), b.ID); err != nil || gone.Items != 2 {
		t.Fatalf("deleted %+v, %v", gone, err)
	}
	for line := range 2 {
		a := d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+job.ItemID(b.ID, line+1).String(), nil, nil)
		d.refuses(t, a, 404, problem.CodeNotFound)
	}
}

func TestSweepRemovesStrayUploads(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Erase.OrphanAge = time.Nanosecond })
	upload, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	nobodys, err := job.NewBatchID()
	if err != nil {
		t.Fatal(err)
	}
	batch := job.Batch{ID: nobodys, CreatedAt: time.Now()}
	keys := []string{imagestore.UploadKey(d.ann.user.ID, upload), imagestore.ManifestKey(batch), imagestore.ArchiveKey(batch)}
	for _, key := range keys {
		if err := d.images.Put(t.Context(), key, "image/jpeg", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "S3's clock, in whole seconds, is past them", func() bool {
		if _, err := d.eraser.sweep(t.Context(), batch.Day()); err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			if _, err := d.images.Get(t.Context(), key, 10); !errors.Is(err, imagestore.ErrNotFound) {
				return false
			}
		}
		return true
	})
}
