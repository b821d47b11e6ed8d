package manager

import (
	"cmp"
	"context"
	"sync"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui"
)

const (
	goneAskedEvery = 3 * time.Second
	goneKept       = 200 // instances
	goneTimeout    = time.Second
)

// gone remembers for a moment how instances left, so that all who look at one share a
// question to the broker.
type gone struct {
	queue *jobqueue.Queue

	mu  sync.Mutex // guards all below
	how map[string]departure
}

type departure struct {
	jobqueue.Departure
	told    bool
	askedAt time.Time
}

func newGone(queue *jobqueue.Queue) *gone {
	return &gone{queue: queue, how: map[string]departure{}}
}

// of says how the instance left; false if nobody tells. It waits for the broker at most
// goneTimeout, and keeps what it knew where that does not answer.
func (g *gone) of(ctx context.Context, instance string) (jobqueue.Departure, bool) {
	if !namesAWorker(instance) { // it becomes a part of a subject
		return jobqueue.Departure{}, false
	}
	g.mu.Lock()
	known := g.how[instance]
	g.mu.Unlock()
	if time.Since(known.askedAt) < goneAskedEvery {
		return known.Departure, known.told
	}
	ctx, cancel := context.WithTimeout(ctx, goneTimeout)
	defer cancel()
	d, told, err := g.queue.Departure(ctx, instance)
	if err != nil {
		d, told = known.Departure, known.told
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.how) >= goneKept {
		clear(g.how)
	}
	g.how[instance] = departure{d, told, time.Now()}
	return d, told
}

// fillGone says of an instance that the scaler does not name how it left.
func fillGone(page *webui.InstancePage, d jobqueue.Departure) {
	page.Gone = true
	page.Row.Role, page.Row.Leaves = ended, true
	page.Row.Leaving = byWhom(cmp.Or(d.By, "the policy"), d.Why)
	page.BegunAt, page.EndedAt = d.BegunAt, d.EndedAt
}
