package jobstore_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

const expander = "expander of a test"

func newBatch(tb testing.TB, owner uuid.UUID) job.Batch {
	tb.Helper()
	return job.Batch{
		ID: newID(tb), OwnerID: owner, Source: job.BatchFromManifest, SourceKey: "2026-01-02/batches/x/manifest",
		Window: 24 * time.Hour, Announced: 7,
		TraceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
		CreatedAt:   time.Now().UTC().Truncate(time.Microsecond),
	}
}

// itemsOf are the photos of a batch's lines, from to to.
func itemsOf(b job.Batch, from, to int) (photos []job.Photo) {
	for line := from; line <= to; line++ {
		photos = append(photos, job.Photo{
			ID: job.ItemID(b.ID, line), OwnerID: b.OwnerID, Lane: job.LaneBatch,
			BatchID: b.ID, BatchLine: line, CustomID: fmt.Sprintf("gate-%d", line), Run: 1,
			Source: job.SourceLink, Link: "https://example.org/", CreatedAt: b.CreatedAt,
		})
	}
	return photos
}

// expanded stores a batch of items that is queued.
func expanded(tb testing.TB, s *jobstore.Store, owner uuid.UUID, items int) job.Batch {
	tb.Helper()
	b := newBatch(tb, owner)
	if err := s.CreateBatch(tb.Context(), b); err != nil {
		tb.Fatal(err)
	}
	x, ok, err := s.LeaseExpansion(tb.Context(), expander, far)
	if err != nil || !ok || x.Batch.ID != b.ID {
		tb.Fatalf("leased %v, %t, %v; want %s", x.Batch.ID, ok, err, b.ID)
	}
	must(tb)(s.AddItems(tb.Context(), b.ID, expander, itemsOf(b, 1, items)))
	must(tb)(s.Expanded(tb.Context(), b.ID, expander))
	return findBatch(tb, s, b.ID)
}

func findBatch(tb testing.TB, s *jobstore.Store, id uuid.UUID) job.Batch {
	tb.Helper()
	b, err := s.FindBatch(tb.Context(), id)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func wantBatch(tb testing.TB, s *jobstore.Store, id uuid.UUID, state job.BatchState, counts job.BatchCounts) job.Batch {
	tb.Helper()
	b := findBatch(tb, s, id)
	if diff := cmp.Diff(counts, b.Counts); b.State != state || diff != "" {
		tb.Fatalf("the batch is %s, want %s; counts (-want +got):\n%s", b.State, state, diff)
	}
	return b
}

func sweep(tb testing.TB, s *jobstore.Store) {
	tb.Helper()
	if err := s.SweepBatches(tb.Context(), 100); err != nil {
		tb.Fatal(err)
	}
}

func masked() job.Result { return job.Result{Faces: []job.Face{{Label: job.LabelMasked}}} }

func TestBatchIsFoundAsItWasGiven(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	want := newBatch(t, testenv.Owner(t, store))
	if err := store.CreateBatch(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	got := findBatch(t, store, want.ID)
	if left := time.Until(got.ExpiresAt); left < 23*time.Hour || left > 24*time.Hour {
		t.Errorf("its window is over in %v", left)
	}
	want.State, want.Run, want.ExpiresAt = job.BatchValidating, 1, got.ExpiresAt
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("batch (-want +got):\n%s", diff)
	}
	if _, err := store.FindBatch(t.Context(), newID(t)); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("without a row: %v", err)
	}
}

func TestListBatchesPagesThroughOneOwners(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner, other := testenv.Owner(t, store), testenv.Owner(t, store)
	var want []uuid.UUID
	for _, o := range []uuid.UUID{owner, other, owner, owner} {
		b := newBatch(t, o)
		if err := store.CreateBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		if o == owner {
			want = append([]uuid.UUID{b.ID}, want...)
		}
	}
	var got []uuid.UUID
	filter := jobstore.BatchFilter{OwnerID: owner, State: job.BatchValidating, Limit: 2}
	for range 2 {
		page, err := store.ListBatches(t.Context(), filter)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range page {
			got = append(got, b.ID)
		}
		filter.Before = got[len(got)-1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
	if page, err := store.ListBatches(t.Context(), jobstore.BatchFilter{OwnerID: owner, State: job.BatchQueued, Limit: 2}); err != nil || len(page) != 0 {
		t.Errorf("queued: %v, %v", page, err)
	}
}

// TestBatchGoesToItsEnd: mixed outcomes, each counted once, and a retry of those
// that may be retried.
func TestBatchGoesToItsEnd(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 3)
	wantBatch(t, store, b.ID, job.BatchQueued, job.BatchCounts{Total: 3, Remaining: 3})
	must(t)(store.StartBatch(ctx, b.ID))
	mustNot(t)(store.StartBatch(ctx, b.ID))

	id := func(line int) job.ID { return job.ItemID(b.ID, line) }
	fence := mustClaim(t, store, id(1), 1)
	must(t)(store.Finish(ctx, id(1), fence, masked()))
	mustNot(t)(store.Finish(ctx, id(1), fence, masked()))
	fence = mustClaim(t, store, id(2), 1)
	must(t)(store.Fail(ctx, id(2), fence, job.Fail(job.CodeDecodeFailed, nil)))
	done := job.BatchCounts{Total: 3, Remaining: 1, Succeeded: 1, Failed: 1, AllMasked: 1, Faces: job.Counts{Faces: 1, Masked: 1}}
	if got := wantBatch(t, store, b.ID, job.BatchInProgress, done); got.StartedAt.IsZero() || !got.DoneAt.IsZero() {
		t.Errorf("started %v, done %v", got.StartedAt, got.DoneAt)
	}
	if n, err := store.RetryBatch(ctx, b.ID); err != nil || n != 0 {
		t.Errorf("a batch in progress was retried: %d, %v", n, err)
	}
	fence = mustClaim(t, store, id(3), 1)
	must(t)(store.Finish(ctx, id(3), fence, job.Result{}))
	done.Remaining, done.Succeeded, done.NoFaces = 0, 2, 1
	wantBatch(t, store, b.ID, job.BatchFinalizing, done)
	sweep(t, store)
	if got := wantBatch(t, store, b.ID, job.BatchCompleted, done); got.DoneAt.IsZero() {
		t.Error("a completed batch has no end")
	}

	if n, err := store.RetryBatch(ctx, b.ID); err != nil || n != 1 {
		t.Fatalf("retried %d, %v", n, err)
	}
	done.Remaining, done.Failed = 1, 0
	if got := wantBatch(t, store, b.ID, job.BatchInProgress, done); got.Run != 2 || !got.DoneAt.IsZero() {
		t.Errorf("retried: run %d, done %v", got.Run, got.DoneAt)
	}
	if p := find(t, store, id(2)); p.Run != 2 || p.Row.Publication != 2 || p.Failure != nil {
		t.Errorf("the retried item: %+v", p)
	}
	fence = mustClaim(t, store, id(2), 2)
	must(t)(store.Finish(ctx, id(2), fence, masked()))
	sweep(t, store)
	done.Remaining, done.Succeeded, done.AllMasked, done.Faces = 0, 3, 2, job.Counts{Faces: 2, Masked: 2}
	wantBatch(t, store, b.ID, job.BatchCompleted, done)
	if n, err := store.RetryBatch(ctx, b.ID); err != nil || n != 0 {
		t.Errorf("nothing to retry: %d, %v", n, err)
	}
}

func TestCancelledBatch(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 2500)
	fence := mustClaim(t, store, job.ItemID(b.ID, 7), 1)
	must(t)(store.CancelBatch(ctx, b.ID))
	mustNot(t)(store.CancelBatch(ctx, b.ID))
	wantBatch(t, store, b.ID, job.BatchCancelling, job.BatchCounts{Total: 2500, Remaining: 1, Cancelled: 2499})
	// What was in hand comes back: it does not wait for another turn.
	must(t)(store.Release(ctx, job.ItemID(b.ID, 7), fence))
	sweep(t, store)
	wantBatch(t, store, b.ID, job.BatchCancelled, job.BatchCounts{Total: 2500, Cancelled: 2500})
	if n, err := store.RetryBatch(ctx, b.ID); err != nil || n != 0 {
		t.Errorf("a cancelled batch was retried: %d, %v", n, err)
	}
	mustNot(t)(store.Reopen(ctx, job.ItemID(b.ID, 7)))
}

func TestCancelWhileExpanding(t *testing.T) {
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
	must(t)(store.CancelBatch(ctx, b.ID))
	mustNot(t)(store.AddItems(ctx, b.ID, expander, itemsOf(b, 3, 4)))
	mustNot(t)(store.Expanded(ctx, b.ID, expander))
	wantBatch(t, store, b.ID, job.BatchCancelled, job.BatchCounts{Total: 2, Cancelled: 2})
}

func TestBatchPastItsWindow(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 3)
	id := job.ItemID(b.ID, 1)
	fence := mustClaim(t, store, id, 1)
	agedBatch(t, config, b.ID)
	if active, err := store.ActiveBatches(ctx); err != nil || len(active) != 0 {
		t.Errorf("its items are still dispatched: %v, %v", active, err)
	}
	sweep(t, store)
	wantBatch(t, store, b.ID, job.BatchQueued, job.BatchCounts{Total: 3, Remaining: 1, Expired: 2})
	must(t)(store.Finish(ctx, id, fence, masked()))
	done := job.BatchCounts{Total: 3, Succeeded: 1, Expired: 2, AllMasked: 1, Faces: job.Counts{Faces: 1, Masked: 1}}
	wantBatch(t, store, b.ID, job.BatchExpired, done)

	if n, err := store.RetryBatch(ctx, b.ID); err != nil || n != 2 {
		t.Fatalf("retried %d, %v", n, err)
	}
	sweep(t, store) // its window is a new one
	done.Remaining, done.Expired = 2, 0
	wantBatch(t, store, b.ID, job.BatchInProgress, done)
}

// agedBatch lets a batch's window be over.
func agedBatch(tb testing.TB, c jobstore.Config, id uuid.UUID) {
	tb.Helper()
	if _, err := rawDB(tb, c).ExecContext(tb.Context(), `UPDATE batches SET expires_at = UTC_TIMESTAMP(6) WHERE id = ?`, id[:]); err != nil {
		tb.Fatal(err)
	}
}

func TestDeletedBatch(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 1200)
	fence := mustClaim(t, store, job.ItemID(b.ID, 3), 1)
	if gone, err := store.DeleteBatch(ctx, b.ID); err != nil || gone.Items != 1200 {
		t.Fatalf("deleted %+v, %v", gone, err)
	}
	if _, err := store.DeleteBatch(ctx, b.ID); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("deleted twice: %v", err)
	}
	if _, err := store.FindBatch(ctx, b.ID); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("found: %v", err)
	}
	mustNot(t)(store.Finish(ctx, job.ItemID(b.ID, 3), fence, masked()))
	if tombs, err := store.BatchTombstones(ctx, 0, 10); err != nil || len(tombs) != 1 || tombs[0].SourceKey != b.SourceKey {
		t.Errorf("tombstones: %v, %v", tombs, err)
	}
	mustNot(t)(store.RemoveBatch(ctx, b.ID)) // its items are still there
	if _, err := rawDB(t, config).ExecContext(ctx, `DELETE FROM photos WHERE batch_id = ?`, b.ID[:]); err != nil {
		t.Fatal(err)
	}
	must(t)(store.RemoveBatch(ctx, b.ID))
}

func TestDeletedItemCountsOnce(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 2)
	must(t)(store.Delete(ctx, job.ItemID(b.ID, 1)))
	mustNot(t)(store.Delete(ctx, job.ItemID(b.ID, 1)))
	mustNot(t)(store.Cancel(ctx, job.ItemID(b.ID, 1)))
	wantBatch(t, store, b.ID, job.BatchQueued, job.BatchCounts{Total: 2, Remaining: 1, Cancelled: 1})
	fence := mustClaim(t, store, job.ItemID(b.ID, 2), 1)
	must(t)(store.Fail(ctx, job.ItemID(b.ID, 2), fence, job.Fail(job.CodeInternal, nil)))
	sweep(t, store)
	wantBatch(t, store, b.ID, job.BatchCompleted, job.BatchCounts{Total: 2, Failed: 1, Cancelled: 1})
	must(t)(store.Reopen(ctx, job.ItemID(b.ID, 2))) // by hand: a run of its own
	if got := wantBatch(t, store, b.ID, job.BatchInProgress, job.BatchCounts{Total: 2, Remaining: 1, Cancelled: 1}); got.Run != 2 {
		t.Errorf("run %d, want 2", got.Run)
	}
	must(t)(store.Delete(ctx, job.ItemID(b.ID, 2)))
	sweep(t, store)
	wantBatch(t, store, b.ID, job.BatchCompleted, job.BatchCounts{Total: 2, Cancelled: 2})
}

func TestItemsAndResults(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	b := expanded(t, store, testenv.Owner(t, store), 1100)
	must(t)(store.Finish(ctx, job.ItemID(b.ID, 2), mustClaim(t, store, job.ItemID(b.ID, 2), 1), masked()))
	must(t)(store.Fail(ctx, job.ItemID(b.ID, 9), mustClaim(t, store, job.ItemID(b.ID, 9), 1), job.Fail(job.CodeInternal, nil)))
	lines := func(f jobstore.ItemFilter) (got []int) {
		t.Helper()
		f.BatchID = b.ID
		page, err := store.Items(ctx, f)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range page {
			got = append(got, p.BatchLine)
		}
		return got
	}
	for name, c := range map[string]struct {
		filter jobstore.ItemFilter
		want   []int
	}{
		"first page":    {jobstore.ItemFilter{Limit: 3}, []int{1, 2, 3}},
		"next page":     {jobstore.ItemFilter{After: 1098, Limit: 3}, []int{1099, 1100}},
		"failed":        {jobstore.ItemFilter{State: job.StateFailed, Limit: 3}, []int{9}},
		"by category":   {jobstore.ItemFilter{Category: job.CategoryAllMasked, Limit: 3}, []int{2}},
		"none of those": {jobstore.ItemFilter{Category: job.CategoryAllMasked, After: 2, Limit: 3}, nil},
	} {
		if diff := cmp.Diff(c.want, lines(c.filter)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	results := func() (got []int) {
		for p, err := range store.Results(ctx, b.ID) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, p.BatchLine)
		}
		return got
	}
	if diff := cmp.Diff([]int{2, 9}, results()); diff != "" {
		t.Errorf("partial results (-want +got):\n%s", diff)
	}
	must(t)(store.CancelBatch(ctx, b.ID))
	all := results()
	if len(all) != 1100 || all[0] != 1 || all[1099] != 1100 {
		t.Errorf("%d results, from %d to %d", len(all), all[0], all[len(all)-1])
	}
	if p := find(t, store, job.ItemID(b.ID, 2)); p.CustomID != "gate-2" || p.BatchID != b.ID || len(p.Result.Faces) != 1 {
		t.Errorf("item: %+v", p)
	}
}
