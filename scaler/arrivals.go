package scaler

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/google/uuid"
)

const (
	// settled is how long after its making a photo may be committed.
	settled = 10 * time.Second
	// batchesLookBack finds batches that were accepted and ended between two looks.
	batchesLookBack = time.Minute
)

// arrivalReader is MySQL as the count of arrivals sees it.
type arrivalReader interface {
	CountSingles(ctx context.Context, from, to time.Time) (int, error)
	BatchTotals(ctx context.Context, since time.Time) (map[uuid.UUID]int, error)
}

// arrivals counts what was accepted since it began to look. Photos are counted by the
// time in their ids: those of the last seconds anew at each look, because a photo may
// be committed a moment later than a younger one; the others once. Items of batches
// count when their rows are made.
type arrivals struct {
	store arrivalReader

	from    time.Time // photos made earlier are counted, or not ours to count
	counted int       // photos made before from
	batches map[uuid.UUID]int
	looked  time.Time // when the batches were
	items   int
	highest float64
}

// read gives the counter, which never falls.
func (a *arrivals) read(ctx context.Context) (float64, error) {
	now := time.Now()
	totals, err := a.store.BatchTotals(ctx, now.Add(-batchesLookBack))
	if err != nil {
		return 0, err
	}
	if a.from.IsZero() { // what is there already was accepted before we looked
		a.from, a.batches, a.looked = now.Truncate(time.Millisecond), totals, now
	}
	if edge := now.Add(-settled).Truncate(time.Millisecond); edge.After(a.from) {
		n, err := a.store.CountSingles(ctx, a.from, edge)
		if err != nil {
			return 0, err
		}
		a.from, a.counted = edge, a.counted+n
	}
	recent, err := a.store.CountSingles(ctx, a.from, now.Add(settled)) // doors' clocks may be ahead
	if err != nil {
		return 0, err
	}
	for id, total := range totals {
		if before, open := a.batches[id]; open || madeAt(id).After(a.looked.Add(-batchesLookBack)) {
			a.items += max(0, total-before)
		} // else it was counted before it ended, and is open again to retry some of its items
	}
	a.batches, a.looked = totals, now
	a.highest = max(a.highest, float64(a.counted+recent+a.items))
	return a.highest, nil
}

// madeAt is the time in an id, a UUIDv7 (RFC 9562, section 5.7).
func madeAt(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:8]) >> 16))
}
