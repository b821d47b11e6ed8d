package inferenceworker

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// pinger is a store that can be asked whether it is there.
type pinger interface {
	Ping(ctx context.Context) error
}

// outage stops the pulling while a store is away: a photo taken then could only be
// put back.
type outage struct {
	log    *slog.Logger
	probe  time.Duration
	stores map[string]pinger

	mu   sync.Mutex // guards away
	away bool
}

// trip says that a store did not answer.
func (o *outage) trip(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.away {
		o.log.Warn("a store is away, pulling stops", "err", err)
	}
	o.away = true
}

// check asks every store; if all answer, the outage is over.
func (o *outage) check(ctx context.Context) {
	if !o.allAnswer(ctx) {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.away {
		o.log.InfoContext(ctx, "stores answer, pulling goes on")
	}
	o.away = false
}

func (o *outage) isAway() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.away
}

func (o *outage) allAnswer(ctx context.Context) bool {
	for name, store := range o.stores {
		ctx, cancel := context.WithTimeout(ctx, o.probe+time.Second)
		err := store.Ping(ctx)
		cancel()
		if err != nil {
			o.log.DebugContext(ctx, "store still away", "store", name, "err", err)
			return false
		}
	}
	return true
}

// pause waits for d. It gives false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
