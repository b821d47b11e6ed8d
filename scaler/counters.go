package scaler

import (
	"time"

	"maskfleet/pkg/jobqueue"
)

// forgetAfter is how long a worker may be silent before its counters are forgotten.
// One that speaks again then counts from where it is.
const forgetAfter = 10 * time.Minute

// counters sums what workers have done.
type counters struct {
	jobs, busy tally // by worker
	finished   float64
	worked     float64
}

func newCounters() *counters { return &counters{jobs: tally{}, busy: tally{}} }

// hear takes readings, which may have been heard before, the oldest first. What a worker
// did before it was first heard is left out.
func (c *counters) hear(readings []jobqueue.WorkerReading) {
	for _, r := range readings {
		c.finished += c.jobs.rise(r.Worker, counter{r.StartedAt, r.At, float64(r.Jobs)}, r.At)
		c.worked += c.busy.rise(r.Worker, counter{r.StartedAt, r.At, r.BusySeconds}, r.At)
	}
	if len(readings) > 0 {
		old := readings[len(readings)-1].At.Add(-forgetAfter)
		c.jobs.forget(old)
		c.busy.forget(old)
	}
}
