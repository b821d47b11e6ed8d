package ingest

import (
	"context"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// budget bounds a number of bytes held at the same time.
type budget struct {
	limit int64
	gauge prometheus.Gauge

	mu    sync.Mutex // guards held and freed
	held  int64
	freed chan struct{} // closed by the next give; nil while nobody waits
}

func newBudget(limit int64, gauge prometheus.Gauge) *budget {
	return &budget{limit: limit, gauge: gauge}
}

// fits says whether n more bytes could be held now. It promises nothing.
func (b *budget) fits(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.held+n <= b.limit
}

// take holds n bytes, if they fit.
func (b *budget) take(n int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.takeLocked(n)
}

func (b *budget) takeLocked(n int64) bool {
	if b.held+n > b.limit {
		return false
	}
	b.held += n
	b.gauge.Set(float64(b.held))
	return true
}

// wait holds n bytes as soon as they fit; more than the limit counts as the limit.
// Whoever holds some already must not wait for more: those who do so together wait for
// ever.
func (b *budget) wait(ctx context.Context, n int64) (release func(), err error) {
	n = min(n, b.limit)
	for {
		freed := b.takeOrWatch(n)
		if freed == nil {
			return func() { b.give(n) }, nil
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-freed:
		}
	}
}

// takeOrWatch gives nil if it took the bytes, else what tells of the next give.
func (b *budget) takeOrWatch(n int64) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.takeLocked(n) {
		return nil
	}
	if b.freed == nil {
		b.freed = make(chan struct{})
	}
	return b.freed
}

// give lets go of n bytes.
func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	b.gauge.Set(float64(b.held))
	if b.freed != nil {
		close(b.freed)
		b.freed = nil
	}
}
