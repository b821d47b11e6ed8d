package ingest

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// budget bounds a number of bytes held at the same time.
type budget struct {
	limit int64
	gauge prometheus.Gauge

	mu   sync.Mutex // guards held
	held int64
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
	if b.held+n > b.limit {
		return false
	}
	b.held += n
	b.gauge.Set(float64(b.held))
	return true
}

// give lets go of n bytes.
func (b *budget) give(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.held -= n
	b.gauge.Set(float64(b.held))
}
