package scaler

import (
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// TestBacklogCountsWhatAnotherWorkerWouldBeGiven: each photo once, and not those that
// nobody gives out.
func TestBacklogCountsWhatAnotherWorkerWouldBeGiven(t *testing.T) {
	t.Parallel()
	lanes := func(batchPaused time.Duration) map[job.Lane]jobqueue.Depth {
		return map[job.Lane]jobqueue.Depth{
			job.LaneInteractive: {Pending: 1, InFlight: 2, Asking: 3},
			job.LaneBatch:       {Pending: 10, InFlight: 20, Paused: batchPaused},
			job.LaneCanary:      {Pending: 100},
		}
	}
	for name, c := range map[string]struct {
		paused        time.Duration
		trial         bool
		waiting, held int
	}{
		"all lanes are open":            {0, false, 1 + 10 + 100 + 1000 + 7, 0},
		"one is paused":                 {time.Minute, false, 1 + 100 + 7, 10 + 1000},
		"the canary lane is for one":    {0, true, 1 + 10 + 1000 + 7, 100},
		"the batch lane is paused, too": {time.Minute, true, 1 + 7, 100 + 10 + 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := backlog{waiting: c.waiting, held: c.held, inFlight: 22, asking: 3}
			if got := backlogOf(lanes(c.paused), 7, 1000, c.trial); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
