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
	lanes := func(interactive, batch time.Duration) map[job.Lane]jobqueue.Depth {
		return map[job.Lane]jobqueue.Depth{
			job.LaneInteractive: {Pending: 1, InFlight: 2, Asking: 3, Paused: interactive},
			job.LaneBatch:       {Pending: 10, InFlight: 20, Paused: batch},
			job.LaneCanary:      {Pending: 100},
		}
	}
	outside := map[job.Lane]int{job.LaneInteractive: 7, job.LaneBatch: 1000, job.LaneCanary: 20_000}
	for name, c := range map[string]struct {
		interactive, batch time.Duration
		trial              bool
		waiting, held      int
	}{
		"all lanes are open":            {0, 0, false, 1 + 7 + 10 + 1000 + 100 + 20_000, 0},
		"batches are paused":            {0, time.Minute, false, 1 + 7 + 100 + 20_000, 10 + 1000},
		"interactive photos are":        {time.Minute, 0, false, 10 + 1000 + 100 + 20_000, 1 + 7},
		"the canary lane is for one":    {0, 0, true, 1 + 7 + 10 + 1000, 100 + 20_000},
		"the batch lane is paused, too": {0, time.Minute, true, 1 + 7, 100 + 20_000 + 10 + 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := backlog{waiting: c.waiting, held: c.held, inFlight: 22, asking: 3}
			if got := backlogOf(lanes(c.interactive, c.batch), outside, c.trial); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
}
