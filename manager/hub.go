package manager

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// hub tells any number of browsers the same thing once a tick. It renders nothing
// while nobody listens.
type hub struct {
	every  time.Duration
	render func() (string, error)

	mu        sync.Mutex // guards all below
	listeners map[chan string]struct{}
	closed    bool
}

func newHub(every time.Duration, render func() (string, error)) *hub {
	return &hub{every: every, render: render, listeners: map[chan string]struct{}{}}
}

// listen gives a channel of what is told, of which a slow listener gets only the
// newest, and the function that ends it. The channel is closed when the hub closes.
func (h *hub) listen() (<-chan string, func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	heard := make(chan string, 1)
	if h.closed {
		close(heard)
		return heard, func() {}
	}
	h.listeners[heard] = struct{}{}
	return heard, func() {
		h.mu.Lock()
		defer h.mu.Unlock()
		delete(h.listeners, heard)
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
		if !h.wanted() {
			continue
		}
		text, err := h.render()
		if err != nil {
			return fmt.Errorf("rendering the live page: %w", err)
		}
		h.tell(text)
	}
}

func (h *hub) wanted() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.listeners) > 0
}

func (h *hub) tell(text string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for heard := range h.listeners {
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
	for heard := range h.listeners {
		close(heard)
		delete(h.listeners, heard)
	}
}
