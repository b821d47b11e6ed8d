package inferenceworker

import (
	"context"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// trialLook is how long a worker that may not take from the canary lane leaves it alone
// before it looks again whose it is.
const trialLook = 2 * time.Second

// canary knows whether the canary lane is this worker's. Nobody tells it of trials: who
// gets a photo of that lane asks, and the broker knew of the trial before it knew of
// the photo. So the lane costs nothing as long as it is empty.
type canary struct {
	queue  *jobqueue.Queue
	worker string
	closed time.Time // until then the lane is another's; zero: not that we know
	looked time.Time
}

// admits says whether this worker may take the photo that it was given.
func (c *canary) admits(ctx context.Context, lane job.Lane) (bool, error) {
	if lane != job.LaneCanary {
		return true, nil
	}
	return c.look(ctx)
}

// open says whether the lane is worth asking. A lane that was another's is looked at
// again now and then: a trial may end before its time.
func (c *canary) open(ctx context.Context, lane job.Lane) bool {
	now := time.Now()
	if lane != job.LaneCanary || !now.Before(c.closed) {
		return true
	}
	if now.Sub(c.looked) < trialLook {
		return false
	}
	admitted, err := c.look(ctx)
	return admitted && err == nil
}

func (c *canary) look(ctx context.Context) (bool, error) {
	now := time.Now()
	trial, err := c.queue.Trial(ctx)
	c.looked = now
	if err != nil {
		return false, err
	}
	if trial.Admits(c.worker, now) {
		c.closed = time.Time{}
		return true, nil
	}
	c.closed = trial.Until
	return false, nil
}
