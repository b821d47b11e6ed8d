package jobqueue_test

import (
	"testing"
	"time"

	"maskfleet/pkg/jobqueue"
)

// TestEndTrial: the one that is meant, and once.
func TestEndTrial(t *testing.T) {
	t.Parallel()
	b := start(t)
	ends := func(began time.Time, want bool) {
		t.Helper()
		if got, err := b.EndTrial(t.Context(), began); err != nil || got != want {
			t.Errorf("ended: %t, %v; want %t", got, err, want)
		}
	}
	now := time.Now().UTC()
	ends(now, false) // there is none
	for _, began := range []time.Time{now.Add(-time.Minute), now} {
		if err := b.PutTrial(t.Context(), jobqueue.Trial{Worker: "w-1", BegunAt: began, Until: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
	}
	ends(now.Add(-time.Minute), false) // another has taken its place
	if err := b.OpenTrial(t.Context(), now); err != nil {
		t.Fatal(err)
	}
	ends(now, true)
	ends(now, false)
	if kept, err := b.Trial(t.Context()); err != nil || kept.Worker != "w-1" || !kept.Opened || !kept.Admits("w-2", time.Now()) {
		t.Errorf("what is kept of it: %+v, %v", kept, err)
	}
}
