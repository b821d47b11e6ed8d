package ingest

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// dispatch is a dispatcher of a test on real stores, and a worker without slots.
type dispatch struct {
	*dispatcher
	broker *testenv.Server
}

func newDispatch(t *testing.T, cfg DispatcherConfig) *dispatch {
	t.Helper()
	natsConfig, broker := testenv.NATS(t)
	log := testenv.Logger(t)
	queue, err := jobqueue.Open(t.Context(), natsConfig, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	if err := queue.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	doors := Doors{Store: testenv.JobStore(t), Queue: queue}
	registry := prometheus.NewRegistry()
	p := newPublisher(doors.Store, queue, PublisherConfig{UnconfirmedFor: time.Second, UnseenFor: time.Microsecond, BatchSize: 100}, log, registry)
	return &dispatch{dispatcher: newDispatcher(doors, p, cfg, "", log, registry), broker: broker}
}

// batch stores an expanded batch of items.
func (d *dispatch) batch(t *testing.T, owner uuid.UUID, items int) job.Batch {
	t.Helper()
	id, err := job.NewBatchID()
	if err != nil {
		t.Fatal(err)
	}
	b := job.Batch{ID: id, OwnerID: owner, Source: job.BatchFromManifest, CreatedAt: time.Now().UTC(), Window: time.Hour, Run: 1}
	b.SourceKey = imagestore.ManifestKey(b)
	if err := d.store.CreateBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := d.store.LeaseExpansion(t.Context(), "test", time.Hour); err != nil || !ok {
		t.Fatal(ok, err)
	}
	var chunk []job.Photo
	for line := 1; line <= items; line++ {
		chunk = append(chunk, photoOf(b, line, job.Item{CustomID: fmt.Sprint(line), Image: job.ItemImage{URL: "https://example.org/"}}))
		if len(chunk) == itemsAtOnce || line == items {
			if added, err := d.store.AddItems(t.Context(), b.ID, "test", chunk); err != nil || !added {
				t.Fatal(added, err)
			}
			chunk = chunk[:0]
		}
	}
	if done, err := d.store.Expanded(t.Context(), b.ID, "test"); err != nil || !done {
		t.Fatal(done, err)
	}
	return b
}

// work finishes up to n photos from the broker, in its order, and says whose.
func (d *dispatch) work(t *testing.T, n int) (owners []uuid.UUID) {
	t.Helper()
	for range n {
		delivery, err := d.queue.FetchNow(t.Context(), job.LaneBatch)
		if err != nil {
			t.Fatal(err)
		}
		if delivery == nil {
			return owners
		}
		p, refusal, _, err := d.store.Claim(t.Context(), delivery.Message.PhotoID, delivery.Message.Publication, "w-test", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		if refusal == job.RefusedNone {
			if changed, err := d.store.Finish(t.Context(), p.ID, p.Row.Fence, job.Result{}); err != nil || !changed {
				t.Fatal(changed, err)
			}
			owners = append(owners, p.OwnerID)
		}
		if err := delivery.Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return owners
}

func (d *dispatch) rounds(t *testing.T) {
	t.Helper()
	if err := d.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := d.store.SweepBatches(t.Context(), sweptAtOnce); err != nil {
		t.Fatal(err)
	}
}

func (d *dispatch) depth(t *testing.T) int {
	t.Helper()
	depth, err := d.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return depth[job.LaneBatch].Pending + depth[job.LaneBatch].InFlight
}

// TestTenantsShareTheLane: who brings ten photos does not wait for the ten thousand
// of another, however long that one has been at it.
func TestTenantsShareTheLane(t *testing.T) {
	t.Parallel()
	const bound = 40
	d := newDispatch(t, DispatcherConfig{Interval: time.Hour, Ahead: time.Microsecond, Least: bound, Most: bound})
	ann, bob := testenv.Owner(t, d.store), testenv.Owner(t, d.store)
	d.batch(t, ann, 10_000)
	for range 3 {
		d.rounds(t)
		d.work(t, 10)
	}
	if depth := d.depth(t); depth != bound-10 {
		t.Errorf("%d items are on the broker, want %d: as many as may be, less those done", depth, bound-10)
	}
	small := d.batch(t, bob, 10)
	before := 0
	for range 20 {
		d.rounds(t)
		if depth := d.depth(t); depth > bound {
			t.Fatalf("%d items are on the broker, want %d at most", depth, bound)
		}
		for _, owner := range d.work(t, 10) {
			if owner == ann {
				before++
			}
		}
		b, err := d.store.FindBatch(t.Context(), small.ID)
		if err != nil {
			t.Fatal(err)
		}
		if b.Counts.Remaining == 0 {
			break
		}
	}
	// What was on the broker already, and one of the other's for each of his own.
	if most := bound + 10 + 10; before > most {
		t.Errorf("bob's ten photos waited for %d of ann's, want %d at most", before, most)
	}
	t.Logf("bob's ten photos waited for %d of ann's", before)
}

// TestBatchIsDispatchedToItsEnd also through a broker that is wiped and a dispatcher
// that dies between publishing and noting it.
func TestBatchIsDispatchedToItsEnd(t *testing.T) {
	t.Parallel()
	d := newDispatch(t, DispatcherConfig{Interval: time.Hour, Ahead: time.Second, Least: 20, Most: 20})
	b := d.batch(t, testenv.Owner(t, d.store), 50)
	due, err := d.store.DueItems(t.Context(), b.ID, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range due { // by a dispatcher that died then
		if err := d.queue.Publish(t.Context(), w.Message(w.Publication)); err != nil {
			t.Fatal(err)
		}
	}
	d.rounds(t)
	if depth := d.depth(t); depth != 20 {
		t.Errorf("%d items are on the broker, want 20", depth)
	}
	d.work(t, 5)
	d.broker.DeleteStore()
	eventually(t, "the broker has its streams again", func() bool { return d.queue.Ensure(t.Context()) == nil })
	done := 5
	eventually(t, "every item is done", func() bool {
		if err := d.round(t.Context()); err != nil {
			t.Log(err)
		}
		done += len(d.work(t, 7))
		return done >= 50
	})
	if err := d.store.SweepBatches(t.Context(), sweptAtOnce); err != nil {
		t.Fatal(err)
	}
	got, err := d.store.FindBatch(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	if want := (job.BatchCounts{Total: 50, Succeeded: 50, NoFaces: 50}); got.State != job.BatchCompleted || got.Counts != want || done != 50 {
		t.Errorf("%d results, the batch is %s with %+v", done, got.State, got.Counts)
	}
}

// TestOneDoorDispatches: another waits until the first is gone.
func TestOneDoorDispatches(t *testing.T) {
	t.Parallel()
	d := newDispatch(t, DispatcherConfig{Interval: time.Hour, Ahead: time.Second, Least: 20, Most: 20})
	d.rounds(t)
	second := *d.dispatcher
	second.holder = "the second"
	second.deed = &deed{}
	b := d.batch(t, testenv.Owner(t, d.store), 5)
	if err := second.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	if active, err := d.store.ActiveBatches(t.Context()); err != nil || len(active) != 1 || active[0].OnBroker != 0 {
		t.Errorf("a door without the lease dispatched: %+v, %v", active, err)
	}
	d.leave(t.Context())
	if err := second.round(t.Context()); err != nil {
		t.Fatal(err)
	}
	items, err := d.store.Items(t.Context(), jobstore.ItemFilter{BatchID: b.ID, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range items {
		if !p.Row.Confirmed {
			t.Errorf("item %d is not dispatched", p.BatchLine)
		}
	}
	if first, then := d.deed.told(), second.deed.told(); first != nil || then == nil || then.Photos != 5 {
		t.Errorf("the first tells of %+v, the second of %+v", first, then)
	}
}
