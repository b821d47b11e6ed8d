package jobstore_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func TestDecisions(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	decision := func(ago time.Duration, size, target int) jobstore.ScalingDecision {
		id, err := uuid.NewV7()
		if err != nil {
			t.Fatal(err)
		}
		at := time.Now().UTC().Add(-ago).Truncate(time.Microsecond)
		return jobstore.ScalingDecision{
			ID: id, BegunAt: at, EndedAt: at, Ticks: 1, Policy: "target-wait", Version: 3, Size: size, Target: target,
			Decided: "rate", Reason: "2, because", Document: []byte(`{"target":2}`),
		}
	}
	old, kept, grown := decision(48*time.Hour, 2, 2), decision(time.Hour, 2, 2), decision(0, 2, 4)
	for _, d := range []jobstore.ScalingDecision{old, kept, grown} {
		if err := store.WriteDecision(t.Context(), d); err != nil {
			t.Fatal(err)
		}
	}
	kept.Ticks, kept.EndedAt, kept.Reason = 7, kept.EndedAt.Add(time.Minute), "2, because still"
	if err := store.WriteDecision(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	list := func(f jobstore.DecisionFilter) []jobstore.ScalingDecision {
		f.Limit = 10
		all, err := store.ListDecisions(t.Context(), f)
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if diff := cmp.Diff([]jobstore.ScalingDecision{grown, kept, old}, list(jobstore.DecisionFilter{})); diff != "" {
		t.Errorf("all (-want +got):\n%s", diff)
	}
	if got := list(jobstore.DecisionFilter{Changes: true}); len(got) != 1 || got[0].ID != grown.ID {
		t.Errorf("changes: %+v", got)
	}
	if got := list(jobstore.DecisionFilter{Before: grown.ID, Since: time.Now().Add(-2 * time.Hour)}); len(got) != 1 || got[0].ID != kept.ID {
		t.Errorf("the page before, of late: %+v", got)
	}
	if err := store.PurgeDecisions(t.Context(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := list(jobstore.DecisionFilter{}); len(got) != 2 {
		t.Errorf("%d are left, want 2", len(got))
	}
}

// TestMemoryOfTheNewestLeader: an older one's is not written over it.
func TestMemoryOfTheNewestLeader(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	if text, err := store.LoadScalingMemory(t.Context()); err != nil || text != nil {
		t.Fatalf("got %q, %v, want nothing", text, err)
	}
	for _, save := range []struct {
		epoch      uint64
		text, want string
	}{{5, `{"a":1}`, `{"a":1}`}, {7, `{"a":2}`, `{"a":2}`}, {6, `{"a":3}`, `{"a":2}`}, {7, `{"a":4}`, `{"a":4}`}} {
		if err := store.SaveScalingMemory(t.Context(), save.epoch, []byte(save.text)); err != nil {
			t.Fatal(err)
		}
		if text, err := store.LoadScalingMemory(t.Context()); err != nil || string(text) != save.want {
			t.Errorf("epoch %d: got %s, %v, want %s", save.epoch, text, err, save.want)
		}
	}
}

func TestRetirements(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	first := jobstore.Retirement{Instance: "i-1", Epoch: 5, AskedBy: "ann", Reason: "pin", BegunAt: time.Now().UTC().Truncate(time.Microsecond)}
	again := first
	again.Epoch, again.Final, again.AskedBy = 6, true, "bob"
	for _, r := range []jobstore.Retirement{first, again} {
		if err := store.BeginRetirement(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	want := first
	want.Final = true
	all, err := store.ListRetirements(t.Context())
	if diff := cmp.Diff([]jobstore.Retirement{want}, all); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	other := first
	other.Instance = "i-2"
	if err := store.BeginRetirement(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	for instance, want := range map[string]bool{"i-1": false, "i-2": true} { // a final one is not recalled
		if got, err := store.RecallRetirement(t.Context(), instance); err != nil || got != want {
			t.Errorf("%s recalled: %v, %v", instance, got, err)
		}
	}
	if err := store.EndRetirement(t.Context(), "i-1"); err != nil {
		t.Fatal(err)
	}
	if all, err := store.ListRetirements(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("left: %v, %v", all, err)
	}
}

// TestArrivals: photos of batches are counted with their batch, others by their ids.
func TestArrivals(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	began := time.Now().Truncate(time.Millisecond)
	accept(t, store)
	accept(t, store)
	if n, err := store.CountSingles(t.Context(), began, time.Now().Add(time.Second)); err != nil || n != 2 {
		t.Errorf("got %d, %v, want 2", n, err)
	}
	if n, err := store.CountSingles(t.Context(), began.Add(-time.Hour), began); err != nil || n != 0 {
		t.Errorf("before: got %d, %v, want 0", n, err)
	}
	b := expanded(t, store, testenv.Owner(t, store), 3)
	if n, err := store.CountSingles(t.Context(), began, time.Now().Add(time.Second)); err != nil || n != 2 {
		t.Errorf("with a batch: got %d, %v, want 2", n, err)
	}
	totals, err := store.BatchTotals(t.Context(), time.Now())
	if err != nil || totals[b.ID] != 3 {
		t.Errorf("got %v, %v, want 3 items", totals, err)
	}
}
