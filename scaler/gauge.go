package scaler

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// gauge holds the last value that a loop of its own has read, so that a store that
// does not answer takes nothing else with it.
type gauge[V any] struct {
	name    string
	every   time.Duration
	timeout time.Duration
	read    func(context.Context) (V, error)
	log     *slog.Logger

	mu    sync.Mutex // guards all below
	value V
	at    time.Time // when the reading began; zero: none has succeeded
	err   error     // of the last try
}

// Run reads until ctx ends.
func (g *gauge[V]) Run(ctx context.Context) error {
	tick := time.NewTicker(g.every)
	defer tick.Stop()
	for {
		g.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (g *gauge[V]) look(ctx context.Context) {
	at := time.Now()
	limited, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	value, err := g.read(limited)
	if ctx.Err() != nil {
		return // we are stopping: nothing is wrong
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if (err == nil) != (g.err == nil) {
		g.log.WarnContext(ctx, "reading changed", "reading", g.name, "ok", err == nil, "err", err)
	}
	if g.err = err; err == nil {
		g.value, g.at = value, at
	}
}

// last gives the last reading and when it was begun: the zero time if there is none.
func (g *gauge[V]) last() (value V, at time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.value, g.at
}

// trouble is the error of the last try.
func (g *gauge[V]) trouble() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}
