package jobstore_test

import (
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// TestOpenWork: what is being erased takes nobody's room.
func TestOpenWork(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	kept, erased := uploaded(t, store), uploaded(t, store)
	erased.OwnerID = kept.OwnerID
	for _, p := range []job.Photo{kept, erased} {
		if err := store.Accept(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	must(t)(store.Delete(t.Context(), erased.ID))
	if open, err := store.OpenWork(t.Context(), kept.OwnerID, 10); err != nil || open != (jobstore.OpenWork{Photos: 1}) {
		t.Errorf("got %+v, %v; want one photo", open, err)
	}
}

// announced gives a batch that so many items are still to come of.
func announced(t *testing.T, items int) (*jobstore.Store, job.Batch) {
	t.Helper()
	store := testenv.JobStore(t)
	b := newBatch(t, testenv.Owner(t, store))
	b.Announced = items
	if err := store.CreateBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return store, b
}

// TestOpenWorkKnowsWhatIsToCome: a batch takes the room of its items before they have
// their rows, and no longer than until they have.
func TestOpenWorkKnowsWhatIsToCome(t *testing.T) {
	t.Parallel()
	store, b := announced(t, 50)
	want := func(when string, photos int) {
		t.Helper()
		open, err := store.OpenWork(t.Context(), b.OwnerID, 1000)
		waiting, waitingErr := store.WaitingInBatches(t.Context())
		if err != nil || waitingErr != nil || open != (jobstore.OpenWork{Photos: photos, Batches: 1}) || waiting != photos {
			t.Errorf("%s: %+v, %v; %d wait in batches, %v; want %d", when, open, err, waiting, waitingErr, photos)
		}
	}
	want("before it is expanded", 50)
	if _, ok, err := store.LeaseExpansion(t.Context(), expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	must(t)(store.AddItems(t.Context(), b.ID, expander, itemsOf(b, 1, 3)))
	want("with its first items", 50)
	must(t)(store.Expanded(t.Context(), b.ID, expander))
	want("once expanded", 3)
}

// TestNobodyCountsWhatAnArchiveMayHold as waiting, before it was looked into.
func TestNobodyCountsWhatAnArchiveMayHold(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	b := newBatch(t, testenv.Owner(t, store))
	b.Source, b.Announced = job.BatchFromArchive, 50_000
	if err := store.CreateBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if got, err := store.ItemsOutsideBroker(t.Context()); err != nil || got != 0 {
		t.Errorf("before it is expanded: %d, %v; want none", got, err)
	}
	if _, ok, err := store.LeaseExpansion(t.Context(), expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	must(t)(store.AddItems(t.Context(), b.ID, expander, itemsOf(b, 1, 3)))
	if got, err := store.ItemsOutsideBroker(t.Context()); err != nil || got != 3 {
		t.Errorf("with its first items: %d, %v; want 3", got, err)
	}
}

// TestItemsOutsideBroker: an item waits in one place, whatever lane it is in.
func TestItemsOutsideBroker(t *testing.T) {
	t.Parallel()
	store, b := announced(t, 50)
	want := func(when string, items int) {
		t.Helper()
		if got, err := store.ItemsOutsideBroker(t.Context()); err != nil || got != items {
			t.Errorf("%s: %d, %v; want %d", when, got, err, items)
		}
	}
	want("before it is expanded", 50)
	if _, ok, err := store.LeaseExpansion(t.Context(), expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	items := itemsOf(b, 1, 3)
	must(t)(store.AddItems(t.Context(), b.ID, expander, items))
	must(t)(store.Expanded(t.Context(), b.ID, expander))
	want("once expanded", 3)
	must(t)(store.Confirm(t.Context(), items[0].ID, 1))
	must(t)(store.Confirm(t.Context(), items[1].ID, 1))
	want("with two on the broker", 1)
	if _, _, _, err := store.Claim(t.Context(), items[0].ID, 1, "worker", far); err != nil {
		t.Fatal(err)
	}
	want("with one of them in hand", 1)
	must(t)(store.Fail(t.Context(), items[0].ID, 1, &job.Failure{Code: job.CodeDecodeFailed}))
	want("when that has failed", 1)
	must(t)(store.Redrive(t.Context(), items[0].ID, 0, job.LaneCanary))
	want("when it is to be tried again", 2)
	if photos, items, err := store.CanaryOutsideBroker(t.Context()); err != nil || photos != 0 || items != 1 {
		t.Errorf("in the canary lane wait %d photos and %d items, %v", photos, items, err)
	}
	must(t)(store.Confirm(t.Context(), items[0].ID, 2))
	want("when it is in the canary lane", 1)
	if _, _, _, err := store.Claim(t.Context(), items[0].ID, 2, "worker", far); err != nil {
		t.Fatal(err)
	}
	must(t)(store.Fail(t.Context(), items[0].ID, 2, &job.Failure{Code: job.CodeDecodeFailed}))
	must(t)(store.Redrive(t.Context(), items[0].ID, 0, ""))
	if p := find(t, store, items[0].ID); p.Lane != job.LaneBatch {
		t.Errorf("tried again in no lane in particular it is in %s", p.Lane)
	}
}
