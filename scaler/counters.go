package scaler

import (
	"maps"
	"time"

	"maskfleet/pkg/jobqueue"
)

// forgetAfter is how long a worker may be silent before its counters are forgotten.
// One that speaks again then counts from where it is.
const forgetAfter = 10 * time.Minute

// counters sums what workers have done. Each counts from 0 with its process, so only
// the difference of two readings of one process means something.
type counters struct {
	workers  map[string]counted
	finished float64
	worked   float64
}

type counted struct {
	startedAt time.Time
	jobs      int64
	busy      float64
	heard     time.Time
}

func newCounters() *counters { return &counters{workers: map[string]counted{}} }

// hear takes readings, which may have been heard before, the oldest first.
func (c *counters) hear(readings []jobqueue.WorkerReading) {
	var newest time.Time
	for _, r := range readings {
		was, known := c.workers[r.Worker]
		if known && !r.At.After(was.heard) {
			continue
		}
		if known && !was.startedAt.Equal(r.StartedAt) { // a new process, which has counted since
			was = counted{}
		}
		if known {
			c.finished += float64(max(0, r.Jobs-was.jobs))
			c.worked += max(0, r.BusySeconds-was.busy)
		}
		c.workers[r.Worker] = counted{r.StartedAt, r.Jobs, r.BusySeconds, r.At}
		newest = r.At
	}
	maps.DeleteFunc(c.workers, func(_ string, w counted) bool { return newest.Sub(w.heard) > forgetAfter })
}
