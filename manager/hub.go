package manager

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// view is what a live page shows, to whom: whoever may steer the fleet sees buttons.
type view struct {
	page     string
	query    string // of the address: what of the page is to be seen
	operator bool
}

// hub tells any number of browsers the same thing once a tick, for each view. It
// renders nothing that nobody looks at.
type hub struct {
	every  time.Duration
	render func(view) (string, error)
	log    *slog.Logger

	mu        sync.Mutex // guards all below
	listeners map[view]map[chan string]struct{}
	closed    bool
}

func newHub(every time.Duration, render func(view) (string, error), log *slog.Logger) *hub {
	return &hub{every: every, render: render, log: log, listeners: map[view]map[chan string]struct{}{}}
}

// listen gives a channel of what is told of a view, of which a slow listener gets only
// the newest, and the function that ends it. The channel is closed when the hub closes.
func (h *hub) listen(to view) (<-chan string, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	heard := make(chan string, 1)
	if h.closed {
		close(heard)
		return heard, func() {}
	}
	if h.listeners[to] == nil {
		h.listeners[to] = map[chan string]struct{}{}
	}
	h.listeners[to][heard] = struct{}{}
	return heard, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners[to], heard)
		if len(h.listeners[to]) == 0 {
			delete(h.listeners, to)
		}
	}
}

// Run tells until ctx ends.
func (h *hub) Run(ctx context.Context) error {
	tick := time.NewTicker(h.every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, seen := range h.wanted() {
			text, err := h.render(seen)
			if err != nil { // a mistake of ours, of which its page then says that there is no news
				h.log.ErrorContext(ctx, "live page not rendered", "page", seen.page, "err", err)
				continue
			}
			h.tell(seen, text)
		}
	}
}

func (h *hub) wanted() []view {
	h.mu.Lock()
	defer h.mu.Unlock()
	all := make([]view, 0, len(h.listeners))
	for seen := range h.listeners {
		all = append(all, seen)
	}
	return all
}

func (h *hub) tell(of view, text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for heard := range h.listeners[of] {
		select {
		case <-heard: // what it has not taken yet is old now
		default:
		}
		heard <- text
	}
}

// close ends every listener's stream.
func (h *hub) close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.closed = true
	for _, of := range h.listeners {
		for heard := range of {
			close(heard)
		}
	}
	h.listeners = map[view]map[chan string]struct{}{}
}
