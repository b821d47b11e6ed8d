package scaler_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/jobstore"
	"maskfleet/scaler"
)

const twoByHand = `{"format":1,"policy":"manual","manual":{"size":2},"tick_seconds":0.1}`

// TestFleetFollowsThePolicy: it is launched, grows and shrinks as the policy says, and
// every decision is on record.
func TestFleetFollowsThePolicy(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t)
	eventually(t, "two instances run", func() bool { return len(w.instances(t, "running")) == 2 })
	w.pin(t, 4)
	eventually(t, "four instances run", func() bool { return len(w.instances(t, "running")) == 4 })
	w.pin(t, 1)
	eventually(t, "one is left", func() bool { return w.up(t) == 1 })
	eventually(t, "nobody is retiring", func() bool { return len(w.retiring(t)) == 0 })
	eventually(t, "decisions are on record", func() bool {
		decisions, err := w.store.ListDecisions(t.Context(), jobstore.DecisionFilter{Limit: 100})
		return err == nil && slices.ContainsFunc(decisions, func(d jobstore.ScalingDecision) bool { return d.Overridden && d.Target == 1 && d.Size == 4 })
	})
}

// TestNoWorkIsEnded: an instance drains for as long as it has a photo in hand, and is
// recalled for nothing if it is needed again.
func TestNoWorkIsEnded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t)
	eventually(t, "two instances run", func() bool { return len(w.instances(t, "running")) == 2 })
	both := w.instances(t, "running")
	for _, id := range both {
		w.crew.hold(id, 1)
	}
	w.pin(t, 1)
	eventually(t, "one drains", func() bool { return w.crew.drains(both[0]) || w.crew.drains(both[1]) })
	w.pin(t, 2)
	eventually(t, "it is recalled", func() bool {
		return !w.crew.drains(both[0]) && !w.crew.drains(both[1]) && len(w.retiring(t)) == 0
	})
	if now := w.instances(t, "pending", "running", "terminated", "shutting-down"); !slices.Equal(now, both) {
		t.Fatalf("there are %v, there were %v", now, both)
	}
	w.pin(t, 1)
	eventually(t, "one drains again", func() bool { return w.crew.drains(both[0]) || w.crew.drains(both[1]) })
	for _, id := range both {
		w.crew.hold(id, 0)
	}
	eventually(t, "it is gone", func() bool { return w.up(t) == 1 })
}

// TestDeadInstanceIsReplaced: one that falls silent, and one that never spoke.
func TestDeadInstanceIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t, func(c *scaler.Config) { c.Fleet.Silence, c.Fleet.BootDeadline = 2*time.Second, 10*time.Second })
	w.awaitWorkers(t, 2)
	dead := w.instances(t, "running")[0]
	w.crew.kill(dead)
	eventually(t, "another takes its place", func() bool {
		running := w.instances(t, "running")
		return len(running) == 2 && !slices.Contains(running, dead)
	})
	w.awaitWorkers(t, 2)
	w.crew.killNext()
	w.pin(t, 3)
	eventually(t, "one is launched", func() bool { return w.up(t) == 3 })
	eventually(t, "it boots in vain", func() bool { return w.crew.killed() > 1 })
	eventually(t, "three work", func() bool { return w.up(t) == 3 && w.workers(t) == 3 })
}

// TestNextLeaderGoesOn: who takes over finishes what the last one began, and of two
// at once one acts.
func TestNextLeaderGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	stop := w.scale(t)
	eventually(t, "two instances run", func() bool { return len(w.instances(t, "running")) == 2 })
	for _, id := range w.instances(t, "running") {
		w.crew.hold(id, 1)
	}
	w.pin(t, 1)
	eventually(t, "one retires", func() bool { return len(w.retiring(t)) == 1 })
	leaving := w.retiring(t)[0].Instance
	w.scale(t)
	stop()
	w.crew.hold(leaving, 0)
	eventually(t, "the same one is gone", func() bool { return !slices.Contains(w.instances(t, "running"), leaving) })
	eventually(t, "it is over", func() bool { return len(w.retiring(t)) == 0 })
	if n := w.up(t); n != 1 {
		t.Errorf("%d instances are left, want 1", n)
	}
}

func (w *world) retiring(t *testing.T) []jobstore.Retirement {
	t.Helper()
	all, err := w.store.ListRetirements(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func (w *world) workers(t *testing.T) int {
	t.Helper()
	workers, err := w.queue.Workers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return len(workers)
}

func (w *world) awaitWorkers(t *testing.T, n int) {
	t.Helper()
	eventually(t, "workers give signs of life", func() bool { return w.workers(t) == n && len(w.instances(t, "running")) == n })
}

// TestInstancesAreListed: by command, with what a person wants to know.
func TestInstancesAreListed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t)
	w.awaitWorkers(t, 2)
	var got struct {
		Total     int
		Instances []struct{ ID, Role, Image string }
	}
	eventually(t, "both are ready", func() bool {
		answer, err := w.queue.Request(t.Context(), "maskfleet.scaler.instances", nil, []byte(`{"role":"ready"}`))
		return err == nil && answer.Code == "" && json.Unmarshal(answer.Data, &got) == nil && got.Total == 2
	})
	if want := w.instances(t, "running"); got.Instances[0].ID != want[0] || got.Instances[0].Image != awstest.Image {
		t.Errorf("got %+v, want %v", got, want)
	}
}
