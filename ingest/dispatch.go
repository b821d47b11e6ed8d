package ingest

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// DispatcherConfig is how the items of batches come to the broker.
type DispatcherConfig struct {
	// Interval is how often the dispatcher looks.
	Interval time.Duration `env:"DISPATCHER_INTERVAL" envDefault:"500ms"`
	// Ahead is how much work lies on the broker, at the speed of the last minute: what
	// lies there is in a fixed order, so that an owner who comes now waits behind it.
	Ahead time.Duration `env:"DISPATCHER_AHEAD" envDefault:"5s"`
	// Least and Most are how many items that is at least and at most.
	Least int `env:"DISPATCHER_LEAST" envDefault:"50"`
	Most  int `env:"DISPATCHER_MOST" envDefault:"2000"`
}

// Validate checks the ranges.
func (c *DispatcherConfig) Validate() error {
	if c.Least < 1 || c.Most < c.Least {
		return errors.New("DISPATCHER_LEAST must be at least 1 and at most DISPATCHER_MOST")
	}
	return errors.Join(positive("DISPATCHER_INTERVAL", c.Interval), positive("DISPATCHER_AHEAD", c.Ahead))
}

const (
	dispatcherLease = "dispatcher"
	servedWindow    = time.Minute
	sweptAtOnce     = 100 // batches
)

// dispatcher brings the items of batches to the broker, in fair rotation over their
// owners and never more than the workers can take in a few seconds. Of all doors only
// the holder of the lease does so: two at once would do no harm but to fairness,
// because each change is guarded.
type dispatcher struct {
	store     *jobstore.Store
	queue     *jobqueue.Queue
	publisher *publisher
	cfg       DispatcherConfig
	unseenFor time.Duration
	holder    string
	deed      *deed
	log       *slog.Logger
	items     prometheus.Counter
	onBroker  prometheus.Gauge
}

func newDispatcher(doors Doors, p *publisher, cfg DispatcherConfig, instance string, log *slog.Logger, registerer prometheus.Registerer) *dispatcher {
	d := &dispatcher{
		store: doors.Store, queue: doors.Queue, publisher: p, cfg: cfg, unseenFor: p.cfg.UnseenFor,
		holder: holderOn(instance), deed: &deed{}, log: log,
		items: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "maskfleet_ingest_dispatched_items_total",
			Help: "Items of batches brought to the broker by this door.",
		}),
		onBroker: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "maskfleet_ingest_batch_items_on_broker",
			Help: "Items of batches that waited on the broker at the last round of this door, if it is the one that dispatches.",
		}),
	}
	registerer.MustRegister(d.items, d.onBroker)
	return d
}

// Run looks every interval until ctx ends, and gives the lease to the next then.
func (d *dispatcher) Run(ctx context.Context) error {
	tick := time.NewTicker(d.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			d.leave(ctx)
			return nil
		case <-tick.C:
		}
		// What is at rest moves on without the broker, by any door.
		if err := d.store.SweepBatches(ctx, sweptAtOnce); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "batches not moved on", "err", err)
		}
		if err := d.round(ctx); err != nil && ctx.Err() == nil {
			d.log.WarnContext(ctx, "dispatcher did not finish its round", "err", err)
		}
	}
}

func (d *dispatcher) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := d.queue.ReleaseLease(ctx, dispatcherLease, d.holder); err != nil {
		d.log.DebugContext(ctx, "lease not released", "err", err)
	}
}

// round fills the lane up to its bound.
func (d *dispatcher) round(ctx context.Context) error {
	mine, _, err := d.queue.AcquireLease(ctx, dispatcherLease, d.holder)
	if err != nil || !mine {
		return err
	}
	active, err := d.store.ActiveBatches(ctx)
	if err != nil {
		return err
	}
	live := 0
	for _, b := range active {
		live += b.OnBroker
	}
	d.onBroker.Set(float64(live))
	if len(active) == 0 {
		return nil
	}
	if err := d.lookAfterUnseen(ctx, active); err != nil {
		return err
	}
	bound, err := d.bound(ctx)
	if err != nil || live >= bound {
		return err
	}
	queues, err := d.collect(ctx, active, bound)
	if err != nil {
		return err
	}
	return d.publish(ctx, rotate(queues, bound-live), active)
}

// bound is how many items may lie on the broker now.
func (d *dispatcher) bound(ctx context.Context) (int, error) {
	served, err := d.store.Served(ctx, servedWindow)
	if err != nil {
		return 0, err
	}
	ahead := float64(served[job.LaneBatch].Photos) * d.cfg.Ahead.Seconds() / servedWindow.Seconds()
	return min(max(int(ahead), d.cfg.Least), d.cfg.Most), nil
}

// collect reads for every owner what might be dispatched in this round, the oldest
// batch first.
func (d *dispatcher) collect(ctx context.Context, active []jobstore.ActiveBatch, bound int) ([]ownersQueue, error) {
	queues := byOwner(active)
	share := min(bound, max(d.cfg.Least, 2*bound/len(queues))) // more than an owner gets, unless most have nothing due
	for i := range queues {
		q := &queues[i]
		for _, batch := range q.batches {
			room := share - q.live - len(q.due)
			if room <= 0 {
				break
			}
			due, err := d.store.DueItems(ctx, batch, room)
			if err != nil {
				return nil, err
			}
			for _, w := range due {
				q.due = append(q.due, dueItem{batch: batch, Waiting: w})
			}
		}
	}
	return queues, nil
}

// publish brings items to the broker in the order given, and lets their batches
// begin.
func (d *dispatcher) publish(ctx context.Context, items []dueItem, active []jobstore.ActiveBatch) error {
	queued := map[uuid.UUID]bool{}
	for _, b := range active {
		queued[b.ID] = b.State == job.BatchQueued
	}
	for _, item := range items {
		if !queued[item.batch] {
			continue
		}
		queued[item.batch] = false
		if _, err := d.store.StartBatch(ctx, item.batch); err != nil {
			return err
		}
	}
	return each(ctx, items, func(ctx context.Context, item dueItem) error {
		err := d.queue.Publish(ctx, item.Message(item.Publication))
		switch {
		case errors.Is(err, jobqueue.ErrLive), errors.Is(err, jobqueue.ErrDuplicate):
			_, err = d.publisher.publishIfMissing(ctx, item.Waiting) // an earlier round died over it
			return err
		case err != nil:
			return err
		}
		d.items.Inc()
		d.deed.did(1)
		_, err = d.store.Confirm(ctx, item.ID, item.Publication)
		return err
	})
}

// lookAfterUnseen asks the broker for items of which nothing was heard for a while.
func (d *dispatcher) lookAfterUnseen(ctx context.Context, active []jobstore.ActiveBatch) error {
	for _, b := range active {
		if b.OnBroker == 0 {
			continue
		}
		unseen, err := d.store.UnseenItems(ctx, b.ID, d.unseenFor, d.cfg.Most)
		if err == nil {
			_, err = d.publisher.publishMissing(ctx, unseen)
		}
		if errors.Is(err, jobqueue.ErrNoStream) {
			return errors.Join(err, d.queue.Restore(ctx))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
