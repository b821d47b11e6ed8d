package inferenceworker

import (
	"context"
	"sync"
)

// gate lets the worker take photos while it is open. A drain by command closes it, a
// resume opens it; the zero gate is open.
type gate struct {
	mu     sync.Mutex // guards all below
	closed bool
	turned chan struct{} // closed by the next turn, which takes it away
}

// shut closes the gate, and gives false if it was closed already.
func (g *gate) shut() bool { return g.turn(true) }

// open opens the gate, and gives false if it was open already.
func (g *gate) open() bool { return g.turn(false) }

func (g *gate) turn(closed bool) (turned bool) { //nolint:revive // what it shall be, not how to
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == closed {
		return false
	}
	g.closed = closed
	if g.turned != nil {
		close(g.turned)
		g.turned = nil
	}
	return true
}

func (g *gate) isClosed() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// look says how the gate is, and gives a channel that is closed when it is turned.
func (g *gate) look() (closed bool, turned <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.turned == nil {
		g.turned = make(chan struct{})
	}
	return g.closed, g.turned
}

// whileOpen runs pull until ctx ends, ending it whenever the gate is closed and
// beginning anew when it is opened.
func (g *gate) whileOpen(ctx context.Context, pull func(context.Context)) {
	for ctx.Err() == nil {
		closed, turned := g.look()
		if closed {
			select {
			case <-ctx.Done():
			case <-turned:
			}
			continue
		}
		round, end := context.WithCancel(ctx)
		go func() { // ends with the round
			select {
			case <-round.Done():
			case <-turned:
				end()
			}
		}()
		pull(round)
		end()
	}
}
