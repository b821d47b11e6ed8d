package httpserver

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"maskfleet/pkg/lifecycle"
)

var errDraining = errors.New("draining")

// Health says whether the service should get traffic, ends what is still open when it
// stops, and counts what it did. The zero value is ready. It is safe for concurrent use and serves
// one application.
type Health struct {
	mu       sync.Mutex // guards all below
	draining bool
	troubles map[string]error
	requests lifetime
	streams  lifetime

	served atomic.Int64
}

// lifetime is a context made at its first use.
type lifetime struct {
	ctx    context.Context //nolint:containedctx // its whole purpose
	cancel context.CancelCauseFunc
}

func (l *lifetime) context() context.Context {
	if l.ctx == nil {
		l.ctx, l.cancel = context.WithCancelCause(context.Background())
	}
	return l.ctx
}

// SetReady notes that a part is in trouble, or with a nil error that it no longer is.
func (h *Health) SetReady(name string, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.troubles == nil {
		h.troubles = make(map[string]error)
	}
	if err == nil {
		delete(h.troubles, name)
		return
	}
	h.troubles[name] = err
}

// EndStreams ends every event stream, and each that opens from now on, at once: their
// clients were told when to come back, and a balancer sends them elsewhere.
func (h *Health) EndStreams() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.streams.context()
	h.streams.cancel(lifecycle.ErrStopping)
}

// LetStreams takes EndStreams back, for streams that open from now on.
func (h *Health) LetStreams() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.streams.ctx != nil && h.streams.ctx.Err() != nil && !h.draining {
		h.streams = lifetime{}
	}
}

// Served counts the requests answered so far, without those of health checks.
func (h *Health) Served() int64 { return h.served.Load() }

// SetDraining makes the service not ready for good.
func (h *Health) SetDraining() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.draining = true
}

// Ready is nil if the service should get traffic.
func (h *Health) Ready() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.draining {
		return errDraining
	}
	for name, err := range h.troubles {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// streamLifetime ends when open event streams must end.
func (h *Health) streamLifetime() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams.context()
}

// requestLifetime ends when requests in hand must end.
func (h *Health) requestLifetime() context.Context {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.requests.context()
}

func (h *Health) endRequests() {
	h.requestLifetime()
	h.requests.cancel(lifecycle.ErrStopping)
}
