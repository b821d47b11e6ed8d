package ingest

import "github.com/prometheus/client_golang/prometheus"

// batchesShare is the part of the memory that bodies of batches have at most: one half.
const batchesShare = 2

// memory is what bytes of a body are held against.
type memory interface {
	// take holds n bytes, if they fit.
	take(n int64) bool
	// give lets go of n bytes.
	give(n int64)
}

// share is a part of a budget that some of its users have together at most, so that
// the rest stays for the others.
type share struct {
	own, of *budget
}

func newShare(of *budget, limit int64, gauge prometheus.Gauge) *share {
	return &share{own: newBudget(limit, gauge), of: of}
}

func (s *share) take(n int64) bool {
	if !s.own.take(n) {
		return false
	}
	if !s.of.take(n) {
		s.own.give(n)
		return false
	}
	return true
}

func (s *share) give(n int64) {
	s.of.give(n)
	s.own.give(n)
}
