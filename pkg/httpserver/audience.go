package httpserver

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/problem"
)

const recheckTimeout = 10 * time.Second

var errNotValid = errors.New("the listener's session or key is no longer valid")

// Listener is who follows an event stream.
type Listener struct {
	// Account is whose streams count together: at most Config.StreamsPerAccount.
	Account uuid.UUID
	// Valid is asked every Config.StreamRecheck whether the session or key that let
	// the listener in still does. While that is not known, it does.
	Valid func(ctx context.Context) bool
}

// audience counts the open streams of each account.
type audience struct {
	limit int

	mu   sync.Mutex // guards open
	open map[uuid.UUID]int
}

// enter is refused with 429 while the account has as many streams as it may.
func (a *audience) enter(account uuid.UUID) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[account] >= a.limit {
		// By then it is noticed which of them nobody reads any more.
		return problem.New(http.StatusTooManyRequests, problem.CodeRateLimited,
			"This account follows too many things at once. Please close some of its pages.").WithRetryAfter(keepAliveEvery)
	}
	a.open[account]++
	return nil
}

func (a *audience) leave(account uuid.UUID) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.open[account]--; a.open[account] == 0 {
		delete(a.open, account)
	}
}

// mayListen asks whether the session or key is still good.
func (l Listener) mayListen(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, recheckTimeout)
	defer cancel()
	return l.Valid(ctx)
}
