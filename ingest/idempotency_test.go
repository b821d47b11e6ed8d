package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

func keyed(key string, more ...map[string]string) map[string]string {
	header := map[string]string{headerIdempotencyKey: key}
	for _, m := range more {
		maps.Copy(header, m)
	}
	return header
}

func replayed(a answer) bool { return a.header.Get(headerReplayed) == "true" }

func TestRepeatedPhotoIsAcceptedOnce(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	first := d.post(t, d.ann, data, keyed("a"))
	again := d.post(t, d.ann, data, keyed("a")) // with another boundary
	if replayed(first) || !replayed(again) || again.status != 202 || !bytes.Equal(first.body, again.body) ||
		again.header.Get("Location") != first.header.Get("Location") || again.header.Get("Content-Type") != first.header.Get("Content-Type") {
		t.Errorf("got %d %v %s, want %s again", again.status, again.header, again.body, first.body)
	}
	text := `{"image":{"base64":"` + base64.StdEncoding.EncodeToString(data) + `"},"metadata":{"a":"1","b":"2"}}`
	other := `{ "metadata": {"b":"2", "a":"1"}, "image":{"base64":"` + base64.StdEncoding.EncodeToString(data) + `"} }`
	asJSON := d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(text), keyed("b", jsonBody()))
	same := d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(other), keyed("b", jsonBody()))
	if asJSON.status != 202 || !replayed(same) || !bytes.Equal(asJSON.body, same.body) {
		t.Errorf("the same JSON is answered %d %s, then %d %s", asJSON.status, asJSON.body, same.status, same.body)
	}
	if n := d.photosStored(t); n != 2 {
		t.Errorf("%d photos are stored, want 2", n)
	}
	d.refuses(t, d.post(t, d.ann, append(bytes.Clone(data), 0), keyed("a")), 422, problem.CodeIdempotencyMismatch)
	if a := d.post(t, d.bob, data, keyed("a")); a.status != 202 || replayed(a) {
		t.Errorf("another account is answered %d %s", a.status, a.body)
	}
	if a := d.post(t, d.ann, data, nil); a.status != 202 || replayed(a) {
		t.Errorf("without a key: %d %s", a.status, a.body)
	}
	if n := d.photosStored(t); n != 4 {
		t.Errorf("%d photos are stored, want 4", n)
	}
	for _, bad := range []string{strings.Repeat("k", 256), "schlüssel"} {
		d.refuses(t, d.post(t, d.ann, data, keyed(bad)), 400, problem.CodeInvalidRequest)
	}
}

// TestAnswersGoWithWhatTheyTellOf: also of requests that changed it.
func TestAnswersGoWithWhatTheyTellOf(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	photoSent := func() answer { return d.post(t, d.ann, data, keyed("photo")) }
	batchSent := func() answer {
		return d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(itemLines(1)), keyed("batch", map[string]string{"Content-Type": ndjson}))
	}
	first, batch := detectionOf(t, photoSent(), 202), batchFrom(t, batchSent(), 202)
	cancelled := func() answer {
		return d.ask(t, d.ann, http.MethodPost, batchPath(batch.ID)+"/cancel", nil, keyed("cancel"))
	}
	cancelled()
	for name, a := range map[string]answer{"photo": photoSent(), "batch": batchSent(), "cancel": cancelled()} {
		if !replayed(a) {
			t.Fatalf("%s is answered anew: %d %s", name, a.status, a.body)
		}
	}
	if _, _, err := d.eraser.mark(t.Context(), d.ann.user.ID, []job.ID{first.ID}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.store.DeleteBatch(t.Context(), batch.ID); err != nil {
		t.Fatal(err)
	}
	// An eraser that just removes what was deleted takes the row of the question with
	// it; whoever asks is told to ask again.
	answered := func(ask func() answer) answer {
		a := ask()
		for a.status == 409 && t.Context().Err() == nil {
			a = ask()
		}
		return a
	}
	d.refuses(t, answered(cancelled), 404, problem.CodeNotFound)
	for name, a := range map[string]answer{"photo": answered(photoSent), "batch": answered(batchSent)} {
		if replayed(a) || a.status != 202 {
			t.Errorf("%s is still answered %d %s", name, a.status, a.body)
		}
	}
}

func TestManyRepetitionsAtOnceAcceptOnePhoto(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	var asking sync.WaitGroup
	answers := make(chan answer, 12)
	for range cap(answers) {
		body, kind := multipartBody(t, part{field: "file", filename: "a.jpg", data: data})
		asking.Go(func() {
			a, err := d.try(t.Context(), d.ann, http.MethodPost, "/v1/detections", body, keyed("a", map[string]string{"Content-Type": kind}))
			if err != nil {
				t.Error(err)
			}
			answers <- a
		})
	}
	asking.Wait()
	close(answers)
	fresh := 0
	for a := range answers {
		switch {
		case a.status == 202 && !replayed(a):
			fresh++
		case a.status == 202:
		default:
			d.refuses(t, a, 409, problem.CodeIdempotencyInProgress)
			if a.header.Get("Retry-After") == "" {
				t.Error("no Retry-After")
			}
		}
	}
	if fresh != 1 || d.photosStored(t) != 1 {
		t.Errorf("%d were accepted and %d photos are stored, want one", fresh, d.photosStored(t))
	}
}

// die begins a request and leaves it as a door that died would.
func (d *door) die(t *testing.T, p person, path, key string) (jobstore.RequestKey, jobstore.RequestLock, uuid.UUID) {
	t.Helper()
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	name := jobstore.RequestKey{OwnerID: p.user.ID, Hash: sha256.Sum256([]byte("POST " + path + "\n" + key))}
	lock := jobstore.RequestLock{Holder: id, For: time.Microsecond}
	if _, err := d.store.BeginRequest(t.Context(), name, id, lock, time.Hour); err != nil {
		t.Fatal(err)
	}
	return name, lock, id
}

func TestRepetitionAfterACrashGoesOn(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)

	t.Run("before the photo", func(t *testing.T) {
		_, _, id := d.die(t, d.ann, "/v1/detections", "before")
		a := d.post(t, d.ann, data, keyed("before"))
		if got := detectionOf(t, a, 202); got.ID != id || replayed(a) {
			t.Errorf("got %s, want the photo %s", a.body, id)
		}
		if again := d.post(t, d.ann, data, keyed("before")); !replayed(again) || !bytes.Equal(a.body, again.body) {
			t.Errorf("and then %s", again.body)
		}
	})
	t.Run("after the photo", func(t *testing.T) {
		_, _, id := d.die(t, d.ann, "/v1/detections", "after")
		if _, err := d.acceptUploadAs(t.Context(), id, d.ann.user, upload{data: data, filename: "a.jpg", release: func() {}}); err != nil {
			t.Fatal(err)
		}
		before := d.photosStored(t)
		if got := detectionOf(t, d.post(t, d.ann, data, keyed("after")), 202); got.ID != id || d.photosStored(t) != before {
			t.Errorf("got %s and %d photos more, want the photo %s", got.ID, d.photosStored(t)-before, id)
		}
	})
	t.Run("with another photo", func(t *testing.T) {
		name, lock, _ := d.die(t, d.ann, "/v1/detections", "other")
		if _, err := d.store.AgreeOnRequest(t.Context(), name, lock, sha256.Sum256([]byte("something else"))); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the dead door's lock is over", func() bool {
			a := d.post(t, d.ann, data, keyed("other"))
			return a.status != 409
		})
		d.refuses(t, d.post(t, d.ann, data, keyed("other")), 422, problem.CodeIdempotencyMismatch)
	})
}

func TestRepetitionOfABatchAfterACrash(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	manifest := itemLines(3)
	submit := func(text, key string) answer {
		return d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(text), keyed(key, map[string]string{"Content-Type": ndjson}))
	}
	first := submit(manifest, "plain")
	if again := submit(manifest, "plain"); !replayed(again) || !bytes.Equal(first.body, again.body) {
		t.Errorf("repeated it is answered %d %s", again.status, again.body)
	}
	d.refuses(t, submit(itemLines(2), "plain"), 422, problem.CodeIdempotencyMismatch)

	asJSON := func(items string) answer {
		return d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(`{"items": [`+items+`]}`), keyed("JSON", jsonBody()))
	}
	written := asJSON(`{"custom_id": "a", "image": {"url": "https://example.org/"}}`)
	if again := asJSON(`{"image": { "url": "https://example.org/" }, "custom_id": "a"}`); written.status != 202 || !replayed(again) {
		t.Errorf("in another order of members it is answered %d %s", again.status, again.body)
	}
	d.refuses(t, asJSON(`{"custom_id": "b", "image": {"url": "https://example.org/"}}`), 422, problem.CodeIdempotencyMismatch)

	_, _, id := d.die(t, d.ann, "/v1/batches", "before")
	if got := batchFrom(t, submit(manifest, "before"), 202); got.ID != id {
		t.Errorf("got the batch %s, want %s", got.ID, id)
	}

	// The manifest lies in S3, and the row of the batch is missing.
	name, lock, id := d.die(t, d.ann, "/v1/batches", "stored")
	b := job.Batch{ID: id, CreatedAt: (&attempt{id: id}).madeAt()}
	if err := d.images.Put(t.Context(), imagestore.ManifestKey(b), ndjson, []byte(manifest)); err != nil {
		t.Fatal(err)
	}
	lock.For = time.Microsecond
	if _, err := d.store.AgreeOnRequest(t.Context(), name, lock, sha256.Sum256([]byte(manifest))); err != nil {
		t.Fatal(err)
	}
	d.refuses(t, submit(itemLines(2), "stored"), 422, problem.CodeIdempotencyMismatch)
	if got := batchFrom(t, submit(manifest, "stored"), 202); got.ID != id {
		t.Errorf("got the batch %s, want %s", got.ID, id)
	}
	eventually(t, "the batch is expanded", func() bool {
		got := batchFrom(t, d.ask(t, d.ann, http.MethodGet, batchPath(id), nil, nil), 200)
		return got.Counts.Total == 3
	})
	batches, err := d.store.ListBatches(t.Context(), jobstore.BatchFilter{OwnerID: d.ann.user.ID, Limit: 10})
	if err != nil || len(batches) != 4 {
		t.Errorf("%d batches are stored, want 4 (%v)", len(batches), err)
	}
}

func TestOnlyFinalAnswersAreGivenAgain(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	data := photo(t)
	d.admission.memory.take(d.admission.memory.limit)
	d.refuses(t, d.post(t, d.ann, data, keyed("busy")), 503, problem.CodeUnavailable)
	d.admission.memory.give(d.admission.memory.limit)
	if a := d.post(t, d.ann, data, keyed("busy")); a.status != 202 || replayed(a) {
		t.Errorf("after a 503: %d %s", a.status, a.body)
	}
	first := d.post(t, d.ann, []byte("no photo"), keyed("bad"))
	again := d.post(t, d.ann, []byte("no photo"), keyed("bad"))
	d.refuses(t, first, 415, problem.CodeUnsupportedFormat)
	d.refuses(t, again, 415, problem.CodeUnsupportedFormat)
	if !replayed(again) || !bytes.Equal(first.body, again.body) || again.header.Get("Content-Type") != problem.ContentType {
		t.Errorf("a refusal is repeated as %v %s, want %s", again.header, again.body, first.body)
	}
}

func TestRepeatedCommandsAndUploads(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	b := d.expanded(t, d.ann, 1)
	for _, c := range []struct {
		path, body string
		status     int
	}{
		{batchPath(b.ID) + "/cancel", "", 202},
		{"/v1/uploads", `{"files":[{"filename":"a.jpg","bytes":1}]}`, 201},
	} {
		ask := func(body string) answer {
			return d.ask(t, d.ann, http.MethodPost, c.path, strings.NewReader(body), keyed("k", jsonBody()))
		}
		first, again := ask(c.body), ask(" "+c.body+"\n")
		if first.status != c.status || again.status != c.status || !replayed(again) || !bytes.Equal(first.body, again.body) {
			t.Errorf("%s: %d %s, then %d %s", c.path, first.status, first.body, again.status, again.body)
		}
		d.refuses(t, ask(`{"files":[{}]}`), 422, problem.CodeIdempotencyMismatch)
	}
}

func FuzzFingerprintOfJSON(f *testing.F) {
	f.Add([]byte(`{"a":1}`), []byte(`{"a": 1}`))
	f.Add([]byte(`{"a":1}{`), []byte(``))
	f.Fuzz(func(t *testing.T, one, other []byte) {
		if bytes.Equal(one, other) && fingerprintOfJSON(one) != fingerprintOfJSON(other) {
			t.Error("the same has two fingerprints")
		}
		if fingerprintOfJSON(one) != fingerprintOfJSON(append(append([]byte(" "), one...), '\n')) && jsonValue(one) {
			t.Errorf("spaces around %q change the fingerprint", one)
		}
	})
}

func jsonValue(text []byte) bool {
	trimmed := bytes.TrimSpace(text)
	return len(trimmed) > 1 && trimmed[0] == '{' && bytes.HasSuffix(trimmed, []byte("}")) && json.Valid(trimmed)
}
