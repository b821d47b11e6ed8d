package jobstore_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

// TestUploadsAreOpenUntilUsedOrExpired: and an account never has more of them than it
// may, however many requests come at once.
func TestUploadsAreOpenUntilUsedOrExpired(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	b := newBatch(t, testenv.Owner(t, store))
	other := testenv.Owner(t, store)
	const most = 10
	links := func(owner uuid.UUID, n int, goodFor time.Duration) (ids []uuid.UUID, ok bool) {
		for range n {
			ids = append(ids, newID(t))
		}
		_, ok, err := store.OpenUploads(t.Context(), owner, ids, goodFor, most)
		if err != nil {
			t.Error(err)
		}
		return ids, ok
	}
	open := func(want int) {
		t.Helper()
		if got, _, err := store.OpenUploads(t.Context(), b.OwnerID, nil, far, most); err != nil || got != want {
			t.Errorf("%d are open, %v; want %d", got, err, want)
		}
	}
	var given atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if _, ok := links(b.OwnerID, 3, 0); ok { // expired at once
				given.Add(1)
			}
			if _, ok := links(other, 3, far); ok {
				given.Add(100)
			}
		})
	}
	all.Wait()
	if got := given.Load(); got != 308 {
		t.Errorf("got %d, want 3 of 8 times three links for who has 10, and 8 of 8 where they expire", got)
	}
	if n, err := store.SweepUploads(t.Context(), 100); err != nil || n != 24 {
		t.Errorf("forgot %d, %v; want the 24 that are expired", n, err)
	}
	ids, ok := links(b.OwnerID, most, far)
	if !ok {
		t.Fatal("as many as it may were refused")
	}
	if _, ok := links(b.OwnerID, 1, far); ok {
		t.Error("more than it may were given")
	}
	open(10)
	signed := func(owner uuid.UUID, id uuid.UUID) job.Photo {
		return job.Photo{OwnerID: owner, Source: job.SourceSigned, Link: id.String()}
	}
	for _, names := range [][]job.Photo{
		{signed(other, ids[0])}, // not its own
		{{OwnerID: b.OwnerID, Source: job.SourceLink, Link: ids[0].String()}},
		{signed(b.OwnerID, ids[1]), signed(b.OwnerID, ids[2]), signed(b.OwnerID, newID(t))},
	} {
		if err := store.UseUploads(t.Context(), names...); err != nil {
			t.Error(err)
		}
	}
	open(8)
	if err := store.CreateBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := store.LeaseExpansion(t.Context(), expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	items := itemsOf(b, 1, 3)
	items[1].Source, items[1].Link = job.SourceSigned, ids[3].String()
	must(t)(store.AddItems(t.Context(), b.ID, expander, items))
	open(7)
	if n, err := store.SweepUploads(t.Context(), 100); err != nil || n != 0 {
		t.Errorf("forgot %d that are open, %v", n, err)
	}
}
