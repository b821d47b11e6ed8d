package scaler

import (
	"testing"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
)

// TestAbsent follows two instances through listings; i-3 is a person's own.
func TestAbsent(t *testing.T) {
	t.Parallel()
	both := []fleet.Instance{
		instance("i-1", fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy),
		instance("i-2", fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy),
	}
	worker := func(id string) jobqueue.Worker { return jobqueue.Worker{ID: "w-" + id, Instance: id} }
	three := []jobqueue.Worker{worker("i-1"), worker("i-2"), worker("i-3")}
	told := worker("i-2")
	told.Drain = jobqueue.DrainCommand
	seen := absent{}
	for _, step := range []struct {
		name    string
		listed  []fleet.Instance
		workers []jobqueue.Worker
		want    int
	}{
		{"nothing was listed yet", nil, three, 0},
		{"both are listed", both, three, 0},
		{"the list is empty", nil, three, 2},
		{"and nobody is heard", nil, nil, 0},
		{"the same, heard again", nil, three, 2},
		{"one is listed", both[:1], three, 1},
		{"the other is on its way out", both[:1], []jobqueue.Worker{worker("i-1"), told}, 0},
		{"and was forgotten", both[:1], three, 0},
	} {
		c := takeCensus(fleet.Listing{At: at(), Instances: step.listed}, step.workers, nil, unheard{})
		if got := seen.count(c, step.workers); got != step.want {
			t.Errorf("%s: %d, want %d", step.name, got, step.want)
		}
	}
}
