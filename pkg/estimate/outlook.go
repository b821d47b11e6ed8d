package estimate

import (
	"context"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// Outlook is how long what is sent now will take until it is done, at the pace that the
// workers have now. A pause of a lane is not reckoned with.
type Outlook struct {
	Worker  bool          // one is there: without, nobody can know the rest
	Photo   time.Duration // outside of batches
	Item    time.Duration // the first of a batch whose owner has no other
	Longest time.Duration // the first of the next batch of whoever has most waiting: an owner's batches go one after the other
	All     time.Duration // until all that waits is done; 0: nothing waits
}

// Outlook says it of this moment; false where it could not be measured.
func (e *Estimator) Outlook(ctx context.Context) (Outlook, bool) {
	l, _ := e.load(ctx)
	if time.Since(l.at) > loadUsedFor {
		return Outlook{}, false
	}
	return l.outlook(time.Since(l.lineAt)), true
}

// outlook is that of the load as it is a while after its measurement.
func (l load) outlook(since time.Duration) Outlook {
	if l.capacity == 0 {
		return Outlook{}
	}
	next := func(owner uuid.UUID) time.Duration {
		return l.items(jobstore.ActiveBatch{OwnerID: owner, Remaining: 1}, 1)
	}
	o := Outlook{Worker: true, Photo: l.photo(l.ahead(time.Time{}, since)), Item: next(uuid.UUID{})}
	o.Longest = o.Item
	left := l.line.Photos()
	for _, b := range l.batches {
		o.Longest = max(o.Longest, next(b.OwnerID))
		left += b.Remaining
	}
	if left > 0 {
		o.All = max(0, seconds(float64(left)/l.capacity)-since) + l.took
	}
	return o
}
