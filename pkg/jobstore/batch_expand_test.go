package jobstore_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// TestExpansionSurvivesItsExpander: chunks stand whole or not at all, and whoever
// takes over goes on behind the last.
func TestExpansionSurvivesItsExpander(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := newBatch(t, testenv.Owner(t, store))
	if err := store.CreateBatch(ctx, b); err != nil {
		t.Fatal(err)
	}
	lease := func(holder string, d time.Duration) (jobstore.Expansion, bool) {
		t.Helper()
		x, ok, err := store.LeaseExpansion(ctx, holder, d)
		if err != nil {
			t.Fatal(err)
		}
		return x, ok
	}
	if x, ok := lease("first", far); !ok || x.Tries != 1 || x.Lines != 0 {
		t.Fatalf("got %+v, %t", x, ok)
	}
	if x, ok := lease("second", far); ok {
		t.Fatalf("leased twice: %+v", x)
	}
	must(t)(store.AddItems(ctx, b.ID, "first", itemsOf(b, 1, 2)))
	mustNot(t)(store.AddItems(ctx, b.ID, "first", itemsOf(b, 1, 2)))
	mustNot(t)(store.AddItems(ctx, b.ID, "first", itemsOf(b, 4, 5))) // a gap
	must(t)(store.KeepExpansion(ctx, b.ID, "first", 0))              // and then it dies

	if x, ok := lease("second", far); !ok || x.Tries != 2 || x.Lines != 2 {
		t.Fatalf("got %+v, %t", x, ok)
	}
	mustNot(t)(store.KeepExpansion(ctx, b.ID, "first", far))
	mustNot(t)(store.AddItems(ctx, b.ID, "first", itemsOf(b, 3, 4)))
	mustNot(t)(store.Expanded(ctx, b.ID, "first"))
	must(t)(store.ReleaseExpansion(ctx, b.ID, "second", 0))
	if x, ok := lease("third", far); !ok || x.Tries != 2 {
		t.Fatalf("got %+v, %t", x, ok)
	}
	must(t)(store.AddItems(ctx, b.ID, "third", itemsOf(b, 3, 4)))
	must(t)(store.Expanded(ctx, b.ID, "third"))
	wantBatch(t, store, b.ID, job.BatchQueued, job.BatchCounts{Total: 4, Remaining: 4})
}

func TestRefusedBatchSaysWhy(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := newBatch(t, testenv.Owner(t, store))
	if err := store.CreateBatch(ctx, b); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := store.LeaseExpansion(ctx, expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	must(t)(store.AddItems(ctx, b.ID, expander, itemsOf(b, 1, 2)))
	why := &job.BatchFailure{
		Code: job.BatchCodeDuplicateCustomID, Message: "Two lines have the same custom_id.",
		Lines: []job.LineFault{{Line: 7, CustomID: "gate", Code: job.BatchCodeDuplicateCustomID, Message: "as on line 2"}},
	}
	mustNot(t)(store.RefuseBatch(ctx, b.ID, "somebody else", why))
	must(t)(store.RefuseBatch(ctx, b.ID, expander, why))
	got := wantBatch(t, store, b.ID, job.BatchFailed, job.BatchCounts{Total: 2, Cancelled: 2})
	if diff := cmp.Diff(why, got.Failure); diff != "" || got.DoneAt.IsZero() {
		t.Errorf("done %v, failure (-want +got):\n%s", got.DoneAt, diff)
	}
}

func TestItemsToDispatch(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 5)
	must(t)(store.Confirm(ctx, job.ItemID(b.ID, 1), 1))
	mustClaim(t, store, job.ItemID(b.ID, 2), 1)
	want := []jobstore.ActiveBatch{{ID: b.ID, OwnerID: b.OwnerID, State: job.BatchQueued, Remaining: 5, OnBroker: 1}}
	active, err := store.ActiveBatches(ctx)
	if diff := cmp.Diff(want, active, cmpopts.EquateEmpty()); err != nil || diff != "" {
		t.Errorf("active (-want +got), %v:\n%s", err, diff)
	}
	due, err := store.DueItems(ctx, b.ID, 2)
	if diff := cmp.Diff([]job.ID{job.ItemID(b.ID, 3), job.ItemID(b.ID, 4)}, idsOf(due)); err != nil || diff != "" {
		t.Errorf("due (-want +got), %v:\n%s", err, diff)
	}
	unseen, err := store.UnseenItems(ctx, b.ID, 0, 10)
	if diff := cmp.Diff([]job.ID{job.ItemID(b.ID, 1)}, idsOf(unseen)); err != nil || diff != "" {
		t.Errorf("unseen (-want +got), %v:\n%s", err, diff)
	}
	// The publisher of every door leaves them to the dispatcher.
	if due, err := store.Unconfirmed(ctx, 0, jobstore.Waiting{}, 10); err != nil || len(due) != 0 {
		t.Errorf("unconfirmed: %v, %v", due, err)
	}
	if n, err := store.WaitingOutsideBroker(ctx); err != nil || n != 0 {
		t.Errorf("waiting outside: %d, %v", n, err)
	}
}

func TestSourcesNobodyReads(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	owner := testenv.Owner(t, store)
	done := expanded(t, store, owner, 1)
	validating, cancelled := newBatch(t, owner), newBatch(t, owner)
	for _, b := range []job.Batch{cancelled, validating} {
		if err := store.CreateBatch(ctx, b); err != nil {
			t.Fatal(err)
		}
	}
	if x, ok, err := store.LeaseExpansion(ctx, expander, far); err != nil || !ok || x.Batch.ID != cancelled.ID {
		t.Fatal(x.Batch.ID, ok, err)
	}
	must(t)(store.CancelBatch(ctx, cancelled.ID)) // and its expander does not know yet
	wants := func(want ...uuid.UUID) {
		t.Helper()
		var got []uuid.UUID
		batches, err := store.BatchesWithSource(ctx, 10)
		for _, b := range batches {
			got = append(got, b.ID)
		}
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("with a source (-want +got), %v:\n%s", err, diff)
		}
	}
	wants(done.ID)
	if err := store.SourceRemoved(ctx, done.ID); err != nil {
		t.Fatal(err)
	}
	wants()
}

// TestOwnersTakeTurnsToBeExpanded: many batches of one do not hold up another's.
func TestOwnersTakeTurnsToBeExpanded(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ann, bob := testenv.Owner(t, store), testenv.Owner(t, store)
	var made []job.Batch
	for _, owner := range []uuid.UUID{ann, ann, ann, bob} {
		b := newBatch(t, owner)
		if err := store.CreateBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		made = append(made, b)
	}
	for at, want := range []int{0, 3, 1, 2} { // Bob's last comes right after Ann's first
		x, ok, err := store.LeaseExpansion(t.Context(), expander, far)
		if err != nil || !ok || x.Batch.ID != made[want].ID {
			t.Fatalf("turn %d: %s, %t, %v; want batch %d", at+1, x.Batch.ID, ok, err, want)
		}
		must(t)(store.AddItems(t.Context(), x.Batch.ID, expander, itemsOf(x.Batch, 1, 1)))
		must(t)(store.Expanded(t.Context(), x.Batch.ID, expander))
	}
}

// TestOneBatchOfAnOwnerIsExpandedAtATime: whoever asks, and however many at once.
func TestOneBatchOfAnOwnerIsExpandedAtATime(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ann, bob := testenv.Owner(t, store), testenv.Owner(t, store)
	for _, owner := range []uuid.UUID{ann, ann, ann, bob, bob} {
		if err := store.CreateBatch(t.Context(), newBatch(t, owner)); err != nil {
			t.Fatal(err)
		}
	}
	for round, want := range []map[uuid.UUID]int{{ann: 1, bob: 1}, {ann: 1, bob: 1}, {ann: 1}, {}} {
		leased := make([]jobstore.Expansion, 8)
		var all sync.WaitGroup
		for i := range leased {
			all.Go(func() {
				x, ok, err := store.LeaseExpansion(t.Context(), fmt.Sprint(round, " ", i), far)
				if err != nil {
					t.Error(err)
				}
				if ok {
					leased[i] = x
				}
			})
		}
		all.Wait()
		got := map[uuid.UUID]int{}
		for _, x := range leased {
			if x.Holder == "" {
				continue
			}
			got[x.Batch.OwnerID]++
			must(t)(store.AddItems(t.Context(), x.Batch.ID, x.Holder, itemsOf(x.Batch, 1, 1)))
			must(t)(store.Expanded(t.Context(), x.Batch.ID, x.Holder))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatalf("round %d: leased of each owner (-want +got):\n%s", round+1, diff)
		}
	}
}

// TestAnotherBatchIsExpandedWhileOneIsPutOff: a lease that was given back, or that is
// over, keeps no other batch of its owner waiting.
func TestAnotherBatchIsExpandedWhileOneIsPutOff(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner := testenv.Owner(t, store)
	var made []job.Batch
	for range 3 {
		b := newBatch(t, owner)
		if err := store.CreateBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		made = append(made, b)
	}
	lease := func(want job.Batch, d time.Duration) {
		t.Helper()
		x, ok, err := store.LeaseExpansion(t.Context(), expander, d)
		if err != nil || !ok || x.Batch.ID != want.ID {
			t.Fatalf("leased %s, %t, %v; want %s", x.Batch.ID, ok, err, want.ID)
		}
	}
	lease(made[0], far)
	must(t)(store.ReleaseExpansion(t.Context(), made[0].ID, expander, far))
	lease(made[1], far)
	must(t)(store.CancelBatch(t.Context(), made[1].ID))
	lease(made[2], 0)
	lease(made[2], far)
}
