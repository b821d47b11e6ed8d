package jobstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func TestAcceptedPhotoIsFoundAsItWasGiven(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	link := uploaded(t, store)
	link.ID, link.Source, link.Link, link.Metadata = newID(t), job.SourceLink, "https://example.org/ä.jpg?x='1'\\", nil
	for _, want := range []job.Photo{accept(t, store), link} {
		if want.Source == job.SourceLink {
			if err := store.Accept(t.Context(), want); err != nil {
				t.Fatal(err)
			}
		}
		got := find(t, store, want.ID)
		if age := time.Since(got.RunAt); age < 0 || age > time.Minute {
			t.Errorf("run_at is %v ago, want now", age)
		}
		want.RunAt = got.RunAt
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("photo (-want +got):\n%s", diff)
		}
	}
}

func TestFinishedPhotoShowsItsResult(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	result := job.Result{
		Faces: []job.Face{
			{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 1, YMin: 2, XMax: 30, YMax: 40}},
			{Label: job.LabelIncorrect, Confidence: 0.5, Box: job.Box{XMin: 100, YMin: 2, XMax: 130, YMax: 40}},
		},
		Model:  job.Model{Name: "maskfleet", Version: "1"},
		Timing: job.Timing{Queued: 18 * time.Millisecond, Inference: 14123 * time.Microsecond, Total: 41 * time.Millisecond},
		Width:  480, Height: 640,
		AnnotatedKey: "2026-01-02/x/1/annotated", ThumbnailKey: "2026-01-02/x/1/thumbnail",
	}
	fetched := result
	fetched.OriginalKey, fetched.ContentType, fetched.Bytes, fetched.SHA256 = "2026-01-02/y/1/original", "image/png", 99, strings.Repeat("ab", 32)

	upload := accept(t, store)
	link := uploaded(t, store)
	link.Source, link.Link, link.ContentType, link.Bytes, link.SHA256, link.OriginalKey = job.SourceLink, "https://example.org/", "", 0, "", ""
	if err := store.Accept(t.Context(), link); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		photo  job.Photo
		result job.Result
	}{{upload, result}, {link, fetched}} {
		fence := mustClaim(t, store, c.photo.ID, 1)
		must(t)(store.BackOff(t.Context(), c.photo.ID, fence, job.Fail(job.CodeFetchTimeout, nil), 0))
		fence = mustClaim(t, store, c.photo.ID, 1)
		must(t)(store.Finish(t.Context(), c.photo.ID, fence, c.result))

		got := find(t, store, c.photo.ID)
		if diff := cmp.Diff(&c.result, got.Result); diff != "" {
			t.Errorf("result (-want +got):\n%s", diff)
		}
		if got.Failure != nil {
			t.Errorf("a succeeded photo shows the failure of an earlier attempt: %v", got.Failure)
		}
		if got.DoneAt.Before(got.ClaimedAt) || got.Width != 480 || got.AnnotatedKey != c.result.AnnotatedKey {
			t.Errorf("finished photo: %+v", got)
		}
		wantKey := "2026-01-02/x/original"
		if c.result.OriginalKey != "" {
			wantKey = c.result.OriginalKey
		}
		if got.OriginalKey != wantKey {
			t.Errorf("original: got %q, want %q", got.OriginalKey, wantKey)
		}
	}
}

func TestFailureIsKeptForOperators(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	cause := errors.New("broken \xff bytes " + strings.Repeat("ü", 5000))
	p := accept(t, store)
	fence := mustClaim(t, store, p.ID, 1)
	must(t)(store.Defer(t.Context(), p.ID, fence, &job.Failure{Code: job.CodeDecoderCrashed, SlotDeath: true, Cause: cause}, far))
	got := find(t, store, p.ID)
	if got.Failure == nil || got.Failure.Code != job.CodeDecoderCrashed || !strings.HasPrefix(got.Failure.Cause.Error(), "broken � bytes ü") {
		t.Fatalf("failure after an attempt: %v", got.Failure)
	}
	if wait := time.Until(got.RunAt); wait < far-time.Minute || wait > far {
		t.Errorf("runs again in %v, want %v", wait, far)
	}
}

func TestEndsWithoutAWorkerCarryTheirCode(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	cancelled, expired := accept(t, store), accept(t, store)
	must(t)(store.Cancel(t.Context(), cancelled.ID))
	must(t)(store.Expire(t.Context(), expired.ID))
	for id, want := range map[job.ID]job.Code{cancelled.ID: job.CodeCancelled, expired.ID: job.CodeExpired} {
		if got := find(t, store, id); got.Failure == nil || got.Failure.Code != want || got.DoneAt.IsZero() {
			t.Errorf("got %v done at %v, want %s", got.Failure, got.DoneAt, want)
		}
	}
	must(t)(store.Reopen(t.Context(), expired.ID))
	if got := find(t, store, expired.ID); got.Failure != nil || !got.DoneAt.IsZero() || got.Row.Publication != 2 {
		t.Errorf("a reopened photo still shows its end: %+v", got)
	}
}

func TestDeletedPhotoIsFoundByNobody(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	p := accept(t, store)
	fence := mustClaim(t, store, p.ID, 1)
	must(t)(store.Finish(t.Context(), p.ID, fence, job.Result{Faces: make([]job.Face, 3)}))

	if removed, err := store.Remove(t.Context(), p.ID); err != nil || removed {
		t.Fatalf("without a tombstone it is removed: %v, %v", removed, err)
	}
	find(t, store, p.ID) // no tombstone: Remove must not touch it

	must(t)(store.Delete(t.Context(), p.ID))
	if _, err := store.Find(t.Context(), p.ID); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("found: %v", err)
	}
	listed, err := store.List(t.Context(), jobstore.Filter{OwnerID: p.OwnerID, Limit: 10})
	if err != nil || len(listed) != 0 {
		t.Errorf("listed %d, %v", len(listed), err)
	}
	toErase, err := store.PhotosToErase(t.Context(), jobstore.Erasable{}, 10)
	if err != nil || len(toErase) != 1 || toErase[0].ID != p.ID {
		t.Errorf("to erase: %v, %v", toErase, err)
	}
	for try := range 2 {
		if removed, err := store.Remove(t.Context(), p.ID); err != nil || removed != (try == 0) {
			t.Fatalf("try %d: removed %v, %v", try, removed, err)
		}
	}
	var faces int
	if err := rawDB(t, config).QueryRowContext(t.Context(), `SELECT COUNT(*) FROM faces`).Scan(&faces); err != nil || faces != 0 {
		t.Errorf("%d faces are left, %v", faces, err)
	}
}

func TestListPagesThroughOneOwnersPhotos(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	accept(t, store) // another's
	first := accept(t, store)
	var want []job.ID // the newest first
	for range 5 {
		p := first
		p.ID = newID(t)
		if err := store.Accept(t.Context(), p); err != nil {
			t.Fatal(err)
		}
		want = append([]job.ID{p.ID}, want...)
	}
	want = append(want, first.ID)
	fence := mustClaim(t, store, want[2], 1)
	faces := []job.Face{{Label: job.LabelMasked}, {Label: job.LabelUnmasked}}
	must(t)(store.Finish(t.Context(), want[2], fence, job.Result{Faces: faces}))

	list := func(f jobstore.Filter) []job.ID {
		t.Helper()
		photos, err := store.List(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		var ids []job.ID
		for _, p := range photos {
			ids = append(ids, p.ID)
			if p.Result != nil && len(p.Result.Faces) != 2 {
				t.Errorf("listed with %d faces, want 2", len(p.Result.Faces))
			}
		}
		return ids
	}
	owner := first.OwnerID
	cases := []struct {
		name   string
		filter jobstore.Filter
		want   []job.ID
	}{
		{"first page", jobstore.Filter{OwnerID: owner, Limit: 4}, want[:4]},
		{"second page", jobstore.Filter{OwnerID: owner, Limit: 4, Before: want[3]}, want[4:]},
		{"category", jobstore.Filter{OwnerID: owner, Limit: 9, Category: job.CategorySomeMasked}, want[2:3]},
		{"empty category", jobstore.Filter{OwnerID: owner, Limit: 9, Category: job.CategoryNoFaces}, nil},
		{"state", jobstore.Filter{OwnerID: owner, Limit: 2, State: job.StateQueued}, want[:2]},
		{"made since", jobstore.Filter{OwnerID: owner, Limit: 9, From: first.CreatedAt.Add(-time.Second)}, want},
		{"made before", jobstore.Filter{OwnerID: owner, Limit: 9, To: first.CreatedAt.Add(-time.Second)}, nil},
		{"nobody", jobstore.Filter{Limit: 9}, nil},
		{"a stranger", jobstore.Filter{OwnerID: uuid.New(), Limit: 9}, nil},
	}
	for _, c := range cases {
		if diff := cmp.Diff(c.want, list(c.filter), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestPhotoNeedsAnOwner(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	p := uploaded(t, store)
	p.OwnerID = uuid.New()
	if err := store.Accept(t.Context(), p); err == nil || errors.Is(err, jobstore.ErrUnavailable) {
		t.Errorf("accepted for nobody: %v", err)
	}
}
