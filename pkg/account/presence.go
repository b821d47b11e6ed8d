package account

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"
)

const (
	seenEvery = 5 * time.Minute
	maxSeen   = 10_000 // beyond it, all is forgotten and noted again
)

// presence notes who was seen, each at most once in seenEvery.
type presence struct {
	mu    sync.Mutex // guards noted
	noted map[uuid.UUID]time.Time
}

// due says whether a sighting now is worth a note, and that it is being made.
func (p *presence) due(id uuid.UUID) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Sub(p.noted[id]) < seenEvery {
		return false
	}
	if len(p.noted) >= maxSeen {
		clear(p.noted)
	}
	p.noted[id] = now
	return true
}

// saw notes that an account was used. What cannot be noted is not: it is for an
// administrator's list only.
func (a *Accounts) saw(ctx context.Context, id uuid.UUID) {
	if a.seen.due(id) {
		_ = a.store.TouchUser(ctx, id)
	}
}
