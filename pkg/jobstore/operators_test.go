package jobstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func TestOperatorsReadsOfManyPhotos(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	p := accept(t, store)
	testenv.ManyPhotos(t, config, 2000)
	for name, read := range operatorsReads(store, p) {
		if err := read(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	waiting, err := store.CountOpen(t.Context())
	if err != nil || waiting.Queued != 81 || waiting.Processing != 0 { // four of a hundred, and the first
		t.Errorf("open is %+v, %v", waiting, err)
	}
	pace, err := store.Pace(t.Context(), 30)
	if err != nil {
		t.Fatal(err)
	}
	sum := jobstore.Minute{}
	for _, m := range pace {
		sum.Accepted, sum.Succeeded, sum.Failed = sum.Accepted+m.Accepted, sum.Succeeded+m.Succeeded, sum.Failed+m.Failed
	}
	if sum.Accepted < 1 || sum.Succeeded < 1600 || sum.Failed < 15 || pace[28].Failed == 0 {
		t.Errorf("in half an hour %+v", sum)
	}
	for most, want := range map[int]int{10: 10, 100: 20} {
		if n, err := store.CountUpTo(t.Context(), jobstore.Search{State: job.StateFailed}, most); err != nil || n != want {
			t.Errorf("counted %d up to %d, %v, want %d", n, most, err, want)
		}
	}
	if d, err := store.Describe(t.Context()); err != nil || d.Version == "" || d.Connections == 0 || d.Bytes == 0 || d.Migration < 80 {
		t.Errorf("the server says %+v, %v", d, err)
	}
}

// TestLanesAreCounted: what waits by lane, and where, also of an item of a batch that is
// in another lane than its batch.
func TestLanesAreCounted(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	p := accept(t, store)
	if _, err := store.Confirm(t.Context(), p.ID, 1); err != nil {
		t.Fatal(err)
	}
	accept(t, store)
	b := expanded(t, store, p.OwnerID, 3)
	claimed, _, _, err := store.Claim(t.Context(), job.ItemID(b.ID, 1), 1, "w", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.Fail(t.Context(), claimed.ID, claimed.Row.Fence, job.Fail(job.CodeDecodeFailed, nil)); err != nil {
		t.Fatal(err)
	}
	if again, err := store.Redrive(t.Context(), claimed.ID, 0, job.LaneCanary); err != nil || !again {
		t.Fatalf("tried again: %t, %v", again, err)
	}
	lanes, err := store.CountLanes(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for lane, want := range map[job.Lane]jobstore.LaneQueue{
		job.LaneInteractive: {Queued: 2, OnBroker: 1, Outside: 1}, job.LaneBatch: {Queued: 2, Batches: 2}, job.LaneCanary: {Queued: 1, Batches: 1},
	} {
		got := lanes[lane]
		if got.Oldest <= 0 || got.Oldest > time.Hour {
			t.Errorf("the oldest of %s waits for %v", lane, got.Oldest)
		}
		if got.Oldest = 0; got != want {
			t.Errorf("%s: got %+v, want %+v", lane, got, want)
		}
	}
}

// TestListsAreReadInOrder: a page of a list is read from one index and ends with the
// page, however many photos match and wherever they stand.
func TestListsAreReadInOrder(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	owner := accept(t, store).OwnerID
	testenv.ManyPhotos(t, config, 20_000)
	for key, f := range map[string]jobstore.Search{
		"photos_of_owner":          {OwnerID: owner},
		"photos_of_owner_by_state": {OwnerID: owner, State: job.StateFailed},
		"photos_in_state":          {State: job.StateFailed},
		"photos_of_worker":         {Worker: "worker-7"},
		"photos_in_lane":           {Lane: job.LaneBatch},
		"photos_in_category":       {Category: job.CategoryAllMasked},
		"photos_failed_with":       {Dead: true, Code: job.CodeDecoderCrashed, Model: job.Model{Name: "maskfleet", Version: "3"}},
	} {
		f.Limit = 51
		plan, err := store.PlanOfSearch(t.Context(), f)
		if err != nil || plan["key"] != key || strings.Contains(plan["Extra"], "filesort") {
			t.Errorf("%+v is found by %v, %v; want %s, and nothing sorted", f, plan, err, key)
		}
	}
}

func TestErasureIsHeldByOneAtATime(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	if _, err := store.TakeErasure(t.Context(), "a", time.Minute); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("of none one is taken: %v", err)
	}
	now := time.Now().UTC().Truncate(time.Microsecond)
	e := jobstore.Erasure{ID: uuid.Must(uuid.NewV7()), What: "everything", Until: now, Words: "erase everything", AskedBy: "ann", Via: "page", CreatedAt: now, Document: []byte(`{}`)}
	if err := store.BeginErasure(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	got, err := store.TakeErasure(t.Context(), "a", time.Minute)
	if err != nil || got.ID != e.ID || !got.Until.Equal(now) {
		t.Fatalf("took %+v, %v", got, err)
	}
	if _, err := store.TakeErasure(t.Context(), "b", time.Minute); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("another has it, too: %v", err)
	}
	if err := store.SaveErasure(t.Context(), e.ID, "b", time.Minute, []byte(`{"by":"b"}`), true); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("another saved: %v", err)
	}
	if err := store.SaveErasure(t.Context(), e.ID, "a", 0, []byte(`{"marked":1}`), false); err != nil {
		t.Fatal(err)
	}
	if got, err = store.TakeErasure(t.Context(), "b", time.Minute); err != nil || string(got.Document) != `{"marked":1}` {
		t.Fatalf("after the lease another takes %s, %v", got.Document, err)
	}
	if err := store.SaveErasure(t.Context(), e.ID, "b", time.Minute, []byte(`{"marked":2}`), true); err != nil {
		t.Fatal(err)
	}
	if _, err := store.TakeErasure(t.Context(), "b", time.Minute); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("one that is done is taken: %v", err)
	}
	list, err := store.ListErasures(t.Context(), 5)
	if err != nil || len(list) != 1 || list[0].FinishedAt.IsZero() {
		t.Errorf("listed %+v, %v", list, err)
	}
}

func TestAuditIsSearched(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	var ids []uuid.UUID
	for i, a := range []jobstore.Audit{
		{Actor: "ann", Action: "jobs.retry", Subject: "x", Detail: map[string]string{"via": "page"}},
		{Actor: "ann", Action: "jobs_x", Subject: "y", Detail: map[string]string{"via": "nats"}},
		{Actor: "bob", Action: "jobs.cancel", Subject: "x"},
	} {
		a.ID, a.At = newID(t), time.Now().UTC().Add(time.Duration(i)*time.Millisecond)
		ids = append(ids, a.ID)
		if err := store.RecordAudit(t.Context(), a); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		filter jobstore.AuditFilter
		want   int
	}{
		"all": {jobstore.AuditFilter{}, 3}, "actor": {jobstore.AuditFilter{Actor: "ann"}, 2},
		"beginning": {jobstore.AuditFilter{Action: "jobs."}, 2}, "a pattern is none": {jobstore.AuditFilter{Action: "jobs_"}, 1},
		"subject": {jobstore.AuditFilter{Subject: "x", Actor: "bob"}, 1}, "way": {jobstore.AuditFilter{Via: "nats"}, 1},
		"place": {jobstore.AuditFilter{Before: ids[2]}, 2}, "time": {jobstore.AuditFilter{From: time.Now().Add(time.Hour)}, 0},
	} {
		c.filter.Limit = 10
		if found, err := store.SearchAudit(t.Context(), c.filter); err != nil || len(found) != c.want {
			t.Errorf("%s: found %d, %v, want %d", name, len(found), err, c.want)
		}
	}
}
