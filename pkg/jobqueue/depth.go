package jobqueue

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

// Depth is how much of a lane lies on the broker.
type Depth struct {
	Pending  int // waits for a worker for the first time
	InFlight int // delivered and not settled, photos put back with a delay included
	// Paused is how long PauseLane still keeps the lane from being given out.
	Paused time.Duration
	Asking int    // pulls that wait for a photo
	Leader string // the server that answered for the lane; empty on a single one
}

// Total is everything of the lane that is not settled.
func (d Depth) Total() int { return d.Pending + d.InFlight }

// Depth reads the depth of every lane. It is a question to the broker for each: a
// reading for a few, not something for every worker to poll.
func (q *Queue) Depth(ctx context.Context) (map[job.Lane]Depth, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	depths := map[job.Lane]Depth{}
	for _, lane := range job.Lanes() {
		consumer, err := q.js.Consumer(ctx, StreamJobs, ConsumerOf(lane))
		if err != nil {
			return nil, fmt.Errorf("reading the depth of %s: %w", lane, classify(err))
		}
		info := consumer.CachedInfo() // of this very moment: Consumer asked for it
		d := Depth{Pending: int(info.NumPending), InFlight: info.NumAckPending, Paused: info.PauseRemaining, Asking: info.NumWaiting}
		if info.Cluster != nil {
			d.Leader = info.Cluster.Leader
		}
		depths[lane] = d
	}
	return depths, nil
}
