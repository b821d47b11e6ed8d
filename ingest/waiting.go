package ingest

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/job"
)

// sight is what a look at a photo or batch found.
type sight struct {
	version string // another one whenever something changed that is told
	ended   bool   // nothing more will change
}

// hub wakes those who wait for a photo, or a batch, when something about it changed.
// It hears done-notices from Redis, and one loop per process asks MySQL about every
// one that is waited for, because a notice can be lost and an open state has none.
// The loop asks for one after the other, so that any number of people waiting costs
// MySQL one connection.
type hub struct {
	look    func(ctx context.Context, id uuid.UUID) (sight, error)
	every   time.Duration
	log     *slog.Logger
	waiters prometheus.Gauge

	mu     sync.Mutex // guards all below
	topics map[job.ID]*topic
	closed bool
}

// topic is one photo or batch that somebody waits for.
type topic struct {
	seen sight // by the loop; zero before its first look
	wake map[chan struct{}]struct{}
}

func newHub(look func(context.Context, uuid.UUID) (sight, error), every time.Duration, log *slog.Logger, waiters prometheus.Gauge) *hub {
	return &hub{look: look, every: every, log: log, waiters: waiters, topics: map[job.ID]*topic{}}
}

// subscribe gives a channel that gets a value when the photo may have changed, and
// the function that ends the subscription. The channel is closed when the hub closes.
func (h *hub) subscribe(id job.ID) (<-chan struct{}, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	wake := make(chan struct{}, 1)
	if h.closed {
		close(wake)
		return wake, func() {}
	}
	t := h.topics[id]
	if t == nil {
		t = &topic{wake: map[chan struct{}]struct{}{}}
		h.topics[id] = t
	}
	t.wake[wake] = struct{}{}
	h.waiters.Inc()
	return wake, func() { h.unsubscribe(id, wake) }
}

func (h *hub) unsubscribe(id job.ID, wake chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[id]
	if t == nil {
		return // closed
	}
	if _, there := t.wake[wake]; there {
		delete(t.wake, wake)
		h.waiters.Dec()
	}
	if len(t.wake) == 0 {
		delete(h.topics, id)
	}
}

// Run wakes waiters until ctx ends and then closes the hub.
func (h *hub) Run(ctx context.Context, notices <-chan job.ID) error {
	defer h.close()
	var polling sync.WaitGroup
	polling.Go(func() { h.poll(ctx) })
	defer polling.Wait()
	for {
		select {
		case <-ctx.Done():
			return nil
		case id, open := <-notices:
			if !open {
				<-ctx.Done()
				return nil
			}
			h.changed(id)
		}
	}
}

// changed wakes everybody who waits for the photo.
func (h *hub) changed(id job.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.topics[id]; t != nil {
		t.wakeAll()
	}
}

func (t *topic) wakeAll() {
	for wake := range t.wake {
		select {
		case wake <- struct{}{}:
		default: // it has not looked since the last time
		}
	}
}

// close ends every subscription; those who wait answer with what they know.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return
	}
	h.closed = true
	for id, t := range h.topics {
		for wake := range t.wake {
			close(wake)
			h.waiters.Dec()
		}
		delete(h.topics, id)
	}
}

func (h *hub) poll(ctx context.Context) {
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, id := range h.watched() {
			if ctx.Err() != nil {
				return
			}
			if err := h.ask(ctx, id); err != nil {
				h.log.DebugContext(ctx, "waiting without mysql", "err", err)
				break // away: the next round asks again
			}
		}
	}
}

// watched lists the photos whose end the loop has not seen yet.
func (h *hub) watched() []job.ID {
	h.mu.Lock()
	defer h.mu.Unlock()
	ids := make([]job.ID, 0, len(h.topics))
	for id, t := range h.topics {
		if !t.seen.ended {
			ids = append(ids, id)
		}
	}
	return ids
}

// ask looks at one photo. A photo that cannot be found wakes its waiters too: they
// will learn so themselves.
func (h *hub) ask(ctx context.Context, id job.ID) error {
	asking, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	now, err := h.look(asking, id)
	if err != nil && away(err) {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.topics[id]
	if t == nil {
		return nil
	}
	if err != nil {
		now.ended = true
	}
	if err != nil || now != t.seen {
		t.seen = now
		t.wakeAll()
	}
	return nil
}
