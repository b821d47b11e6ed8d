package manager

import (
	"cmp"
	"context"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/webui"
)

const (
	departuresEvery = 3 * time.Second
	// departureWait is how long the first look at an instance that is not there waits to
	// be told how it left.
	departureWait = time.Second
)

// readDepartures asks how instances left; those of which nobody tells are left out.
func (s *Service) readDepartures(ctx context.Context, instances []string) (map[string]jobqueue.Departure, error) {
	told := map[string]jobqueue.Departure{}
	for _, id := range instances {
		d, known, err := s.queue.Departure(ctx, id)
		if err != nil {
			return nil, err
		}
		if known {
			told[id] = d
		}
	}
	return told, nil
}

// departure is how an instance left, as far as it is known by now; the board asks.
func (b *board) departure(instance string) (jobqueue.Departure, bool) {
	if !namesAWorker(instance) { // it becomes a part of a subject
		return jobqueue.Departure{}, false
	}
	b.fleet.left.look(instance)
	told, _ := b.fleet.departures.last()
	d, known := told[instance]
	return d, known
}

// fillGone says of an instance that the scaler does not name how it left.
func fillGone(page *webui.InstancePage, d jobqueue.Departure) {
	page.Gone = true
	page.Row.Role, page.Row.Leaves = ended, true
	page.Row.Leaving = byWhom(cmp.Or(d.By, "the policy"), d.Why)
	page.BegunAt, page.EndedAt = d.BegunAt, d.EndedAt
}
