package jobstore_test

import (
	"slices"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// TestWaits: counted are those that were accepted within the time and have a result.
func TestWaits(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	result := func(waited, took time.Duration) {
		p := accept(t, store)
		r := job.Result{Timing: job.Timing{Queued: waited, Total: waited + took}}
		must(t)(store.Finish(t.Context(), p.ID, mustClaim(t, store, p.ID, p.Row.Publication), r))
	}
	from := time.Now()
	accept(t, store) // still waits
	for n := range 40 {
		result(time.Duration(n)*time.Second, 100*time.Millisecond)
	}
	to := time.Now().Add(time.Second)
	if got, err := store.MeasureWaits(t.Context(), from, to, 10*time.Second); err != nil || got != (jobstore.Waits{Photos: 40, Late: 29, Longest: 39 * time.Second}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, outside := range [][2]time.Time{{from.Add(-time.Hour), from.Add(-time.Second)}, {to.Add(time.Second), to.Add(time.Hour)}} {
		if got, err := store.MeasureWaits(t.Context(), outside[0], outside[1], 0); err != nil || got != (jobstore.Waits{}) {
			t.Errorf("outside: %+v, %v", got, err)
		}
	}
	// Pieces of a time meet: nothing is counted twice, and nothing lost between them.
	for _, shift := range []time.Duration{0, 30 * time.Minute, time.Hour, 90 * time.Minute} {
		if got, err := store.MeasureWaits(t.Context(), from.Add(-shift), to.Add(3*time.Hour), 10*time.Second); err != nil || got.Photos != 40 || got.Late != 29 {
			t.Errorf("from %s before: %+v, %v", shift, got, err)
		}
		if got, err := store.SampleServices(t.Context(), from.Add(-shift), to.Add(3*time.Hour), 0); err != nil || len(got) != 40 {
			t.Errorf("from %s before: %d, %v", shift, len(got), err)
		}
	}
	all, err := store.SampleServices(t.Context(), from, to, 0)
	if err != nil || len(all) != 40 || slices.Min(all) != 100*time.Millisecond || slices.Max(all) != 100*time.Millisecond {
		t.Errorf("all: %v, %v", all, err)
	}
	if some, err := store.SampleServices(t.Context(), from, to, 4); err != nil || len(some) == 0 || len(some) > 30 {
		t.Errorf("one of four: %d, %v", len(some), err)
	}
}
