package estimate

import (
	"context"
	"sync"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

const (
	loadGoodFor  = 2 * time.Second  // before it is measured again
	loadUsedFor  = 30 * time.Second // where it cannot be
	usualService = 500 * time.Millisecond

	servedWindow = time.Minute     // over which the speed is measured
	lookTimeout  = 2 * time.Second // of one look at one store
)

// The shares that the lanes have of slots for which all of them wait; see the
// worker's turns. The canary lane is nearly always empty.
const (
	interactiveShare = 5.0 / 6
	batchShare       = 1.0 / 6
)

// load is what is ahead of whom, and how fast it goes.
type load struct {
	at       time.Time
	capacity float64 // photos a second that the workers can do; 0: none is there
	took     time.Duration
	slots    int
	personal float64 // photos a second outside of batches, of late
	line     jobstore.Line
	lineAt   time.Time // when it was measured
	batches  []jobstore.ActiveBatch
}

// capacityOf is what the workers can do: each slot a photo at a time. What was
// measured counts too, in case the slots were not all announced.
func capacityOf(slots int, served map[job.Lane]jobstore.Service) (perSecond float64, took time.Duration) {
	photos, spent := 0, time.Duration(0)
	for _, s := range served {
		photos += s.Photos
		spent += time.Duration(s.Photos) * s.Took
	}
	took = usualService
	if photos > 0 && spent > 0 {
		took = spent / time.Duration(photos)
	}
	if slots == 0 {
		return 0, took
	}
	return max(float64(slots)/took.Seconds(), float64(photos)/servedWindow.Seconds()), took
}

// ahead is how many of those that waited when the line was measured are still before a
// photo that became due then, a while after the measurement; all, without due.
func (l load) ahead(due time.Time, since time.Duration) float64 {
	n := float64(l.line.Photos())
	if !due.IsZero() {
		n = l.line.Before(due)
	}
	return max(0, n-l.rate()*since.Seconds())
}

// rate is how many photos outside of batches are done in a second while some wait.
func (l load) rate() float64 {
	if len(l.batches) > 0 {
		return l.capacity * interactiveShare
	}
	return l.capacity
}

// photo says how long a photo outside of batches still takes that has so many before
// it.
func (l load) photo(ahead float64) time.Duration {
	wait := seconds(ahead/l.rate()) + l.took
	if l.line.Photos() > 0 || ahead >= 1 { // all slots are busy: half a photo until one is free
		wait += l.took / time.Duration(2*max(l.slots, 1))
	}
	return wait
}

// items says how long it takes until n more items of an owner's are done, counted
// over the owner's batches, the oldest first. The owners take turns: until then each
// other had as many done, or all of what they have.
func (l load) items(b jobstore.ActiveBatch, n int) time.Duration {
	before := true
	others := map[[16]byte]int{}
	for _, other := range l.batches {
		switch {
		case other.ID == b.ID:
			before = false
		case other.OwnerID != b.OwnerID:
			others[other.OwnerID] += other.Remaining
		case before:
			n += other.Remaining
		}
	}
	ahead := n
	for _, remaining := range others {
		ahead += min(remaining, n)
	}
	rate := max(l.capacity-l.personal, l.capacity*batchShare)
	return seconds(float64(ahead)/rate) + l.took
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// Estimator says how long what waits has still to wait. It measures the load at most
// every few seconds, and only while somebody asks.
type Estimator struct {
	store *jobstore.Store
	queue *jobqueue.Queue

	mu     sync.Mutex // guards all below; held while the load is measured
	latest load
	tried  time.Time
}

// New makes an estimator that has measured nothing yet.
func New(store *jobstore.Store, queue *jobqueue.Queue) *Estimator {
	return &Estimator{store: store, queue: queue}
}

// Measured says when the line was measured by which it goes now; false where nobody can
// know how long anything takes.
func (e *Estimator) Measured(ctx context.Context) (time.Time, bool) {
	l, ok := e.load(ctx)
	return l.lineAt, ok
}

// Photo says how long until a photo is done; false where nobody can know. What is in
// hand already, or done, takes no longer than a photo takes.
func (e *Estimator) Photo(ctx context.Context, p job.Photo) (time.Duration, bool) {
	l, ok := e.load(ctx)
	if !ok || p.Row.State.Terminal() {
		return 0, false
	}
	if p.Row.State == job.StateProcessing {
		return l.took, true
	}
	if p.BatchID == (job.ID{}) {
		return l.photo(e.ahead(ctx, l, p)), true
	}
	for _, b := range l.batches {
		if b.ID == p.BatchID {
			return l.items(b, min(p.BatchLine, b.Remaining)), true
		}
	}
	return 0, false // its batch is not dispatched
}

// ahead is how many photos are before one outside of batches. Of those that came after
// the line was measured it asks MySQL: a burst may be over before the next measurement.
func (e *Estimator) ahead(ctx context.Context, l load, p job.Photo) float64 {
	since := time.Since(l.lineAt)
	if !p.CreatedAt.After(l.lineAt) {
		return l.ahead(p.RunAt, since)
	}
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	newer, _ := e.store.WaitingSince(ctx, l.lineAt, p.ID) // without an answer the line alone counts
	return l.ahead(time.Time{}, since) + float64(newer)
}

// Batch says when the last item of a batch is done; false where nobody can know.
func (e *Estimator) Batch(ctx context.Context, batch job.Batch) (time.Time, bool) {
	validating := batch.State == job.BatchValidating && batch.Counted()
	if !batch.Goes() && !validating {
		return time.Time{}, false
	}
	l, ok := e.load(ctx)
	if !ok {
		return time.Time{}, false
	}
	if validating {
		behind := jobstore.ActiveBatch{ID: batch.ID, OwnerID: batch.OwnerID, Remaining: batch.Announced}
		return l.at.Add(l.items(behind, behind.Remaining)).UTC(), true
	}
	for _, b := range l.batches {
		if b.ID == batch.ID {
			return l.at.Add(l.items(b, b.Remaining)).UTC(), true
		}
	}
	return time.Time{}, false // it has just begun, or ended
}

// load gives the latest measurement that is good; false without one, or without a
// worker.
func (e *Estimator) load(ctx context.Context) (load, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := time.Now(); now.Sub(e.tried) > loadGoodFor {
		e.tried = now
		if l, err := e.measure(ctx); err == nil {
			e.latest = l
		}
	}
	return e.latest, e.latest.capacity > 0 && time.Since(e.latest.at) < loadUsedFor
}

func (e *Estimator) measure(ctx context.Context) (l load, err error) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	workers, err := e.queue.Workers(ctx)
	if err != nil {
		return load{}, err
	}
	slots := 0
	for _, w := range workers {
		if !w.Draining {
			slots += w.Slots
		}
	}
	served, err := e.store.Served(ctx, servedWindow)
	if err != nil {
		return load{}, err
	}
	l.slots = slots
	l.capacity, l.took = capacityOf(slots, served)
	l.personal = float64(served[job.LaneInteractive].Photos) / servedWindow.Seconds()
	l.lineAt = time.Now()
	if l.line, err = e.store.WaitingInLine(ctx); err != nil {
		return load{}, err
	}
	l.batches, err = e.store.ActiveBatches(ctx)
	l.at = time.Now()
	return l, err
}
