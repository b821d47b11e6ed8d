package decide_test

import (
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// neverReady adds instances to what is seen that have been starting for so long.
func neverReady(count int, since time.Duration) func(*decide.Observation) {
	return func(o *decide.Observation) {
		for range count {
			o.Fleet.Starting = append(o.Fleet.Starting, since)
		}
	}
}

// TestBootThatNeverEndsKeepsNobody: one that starts is waited for, but not for ever.
func TestBootThatNeverEndsKeepsNobody(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		since  time.Duration
		shrink bool
	}{{30 * time.Second, false}, {110 * time.Second, false}, {10 * time.Minute, true}} {
		w := newWorld(t)
		w.slots(5)
		w.run(1200)
		w.slots(0)
		w.spoil = neverReady(1, c.since)
		shrank := false
		for range 1200 {
			w.at = w.at.Add(time.Second)
			d := w.history.Advance(w.see(), w.policy)
			shrank = shrank || d.Target < d.Size
		}
		if shrank != c.shrink {
			t.Errorf("starting for %v: shrank: %v", c.since, shrank)
		}
	}
}

// TestBootThatNeverEndsHelpsNobody: a backlog is not left to instances that have been
// starting for too long.
func TestBootThatNeverEndsHelpsNobody(t *testing.T) {
	t.Parallel()
	backlog := func(spoil func(*decide.Observation)) int {
		w := newWorld(t)
		w.slots(0.9)
		w.run(10)
		w.ready, w.starting, w.waiting = 1, nil, 900
		w.spoil = spoil
		for _, want := range w.tick().Wants {
			if want.Name == decide.WantBacklog {
				return want.Instances
			}
		}
		return 0
	}
	alone, soon, never := backlog(nil), backlog(neverReady(3, 50*time.Second)), backlog(neverReady(3, 5*time.Minute))
	if soon >= alone || never != alone {
		t.Errorf("the backlog wants %d, %d beside three that are about to be ready, %d beside three that never are", alone, soon, never)
	}
}
