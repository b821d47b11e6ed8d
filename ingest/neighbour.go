package ingest

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue"
)

var errInstanceDrains = errors.New("the instance drains")

// neighbour watches the worker beside the door. When all of their instance is to go out
// of service, the door's /readyz turns 503, and once a balancer must have noticed, its
// event streams end; everything else is served on for whoever still comes. A worker
// that takes photos again, or is gone, takes it all back.
type neighbour struct {
	instance string
	linger   time.Duration // until a balancer must have noticed
	queue    *jobqueue.Queue
	health   *httpserver.Health
	log      *slog.Logger

	draining bool
	due      <-chan time.Time // of the end of streams; nil: none
}

// Run watches until ctx ends.
func (n *neighbour) Run(ctx context.Context) error {
	heard := make(chan bool)
	var following sync.WaitGroup
	defer following.Wait()
	following.Go(func() {
		n.queue.FollowWorkers(ctx, func(workers []jobqueue.Worker) {
			select {
			case heard <- drains(n.instance, workers):
			case <-ctx.Done():
			}
		})
	})
	for {
		select {
		case <-ctx.Done():
			return nil
		case draining := <-heard:
			n.turn(ctx, draining)
		case <-n.due:
			n.due = nil
			n.health.EndStreams()
		}
	}
}

func (n *neighbour) turn(ctx context.Context, draining bool) {
	if draining == n.draining {
		return
	}
	n.draining = draining
	if draining {
		n.log.InfoContext(ctx, "the instance drains, going out of service", "instance", n.instance)
		n.health.SetReady("instance", errInstanceDrains)
		n.due = time.After(n.linger)
		return
	}
	n.log.InfoContext(ctx, "the instance is in service again", "instance", n.instance)
	n.due = nil
	n.health.LetStreams()
	n.health.SetReady("instance", nil)
}

// drains says whether the instance is to go out of service: it has workers, and all of
// them say so.
func drains(instance string, workers []jobqueue.Worker) bool {
	beside, draining := 0, 0
	for _, w := range workers {
		if w.Instance != instance {
			continue
		}
		beside++
		if w.Drain.OfInstance() {
			draining++
		}
	}
	return beside > 0 && draining == beside
}
