package inferenceworker

import (
	"context"
	"fmt"
	"time"

	"maskfleet/inference-worker/slot"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/telemetry"
)

// Open connects a worker to its stores and the broker, waiting up to cfg.OpenWait
// for stores that are not up yet; Run makes it work. The returned function closes
// what was opened, after Run.
func Open(ctx context.Context, cfg Config, tel *telemetry.Telemetry) (*Worker, func(), error) {
	machine, err := instance.Open(ctx, cfg.Instance, tel.Log)
	if err != nil {
		return nil, nil, err
	}
	if cfg.ID, err = nameOf(cfg.ID, machine); err != nil {
		return nil, nil, err
	}
	fetch, err := linkfetch.New(cfg.Fetch)
	if err != nil {
		return nil, nil, err
	}
	pool, err := slot.NewPool(cfg.Slots, tel.Log, tel.Registry)
	if err != nil {
		return nil, nil, err
	}
	var (
		store  *jobstore.Store
		images *imagestore.Store
	)
	ctx, cancel := context.WithTimeout(ctx, cfg.OpenWait)
	defer cancel()
	err = lifecycle.Patiently(ctx, tel.Log, "mysql", func() (err error) { store, err = jobstore.Open(ctx, cfg.Store); return err })
	if err != nil {
		return nil, nil, err
	}
	err = lifecycle.Patiently(ctx, tel.Log, "s3", func() (err error) { images, err = imagestore.Open(ctx, cfg.Images); return err })
	if err != nil {
		return nil, nil, closing(err, store.Close())
	}
	queue, err := jobqueue.Open(ctx, cfg.Queue, tel.Log) // a broker that is away is waited for while pulling
	if err != nil {
		return nil, nil, closing(err, store.Close())
	}
	answers, err := command.Open(cfg.Queue, store, queue, tel.Log)
	if err != nil {
		queue.Close()
		return nil, nil, closing(err, store.Close())
	}
	fast := cache.Open(cfg.Cache)
	w := &Worker{
		cfg:     cfg,
		machine: machine,
		log:     tel.Log,
		tail:    tel.Tail,
		tracer:  tel.Tracer,
		metrics: newMetrics(tel.Registry),
		store:   store,
		queue:   queue,
		images:  images,
		cache:   fast,
		fetch:   fetch,
		pool:    pool,
		outage: &outage{
			log:    tel.Log,
			probe:  cfg.OutageProbe,
			stores: map[string]pinger{"mysql": store, "s3": images},
		},
		answers:   answers,
		nudged:    make(chan struct{}, 1),
		startedAt: time.Now().UTC(),
		inHand:    map[job.ID]held{},
	}
	return w, w.close, nil
}

// nameOf is the worker's name: the given one, if any.
func nameOf(given string, machine *instance.Instance) (string, error) {
	switch {
	case given != "":
		return given, nil
	case machine.Found:
		return machine.ID, nil
	}
	id, err := job.NewID()
	if err != nil {
		return "", fmt.Errorf("naming the worker: %w", err)
	}
	return "w-" + id.String(), nil
}

func (w *Worker) close() {
	w.answers.Close()
	w.queue.Close()
	if err := w.cache.Close(); err != nil {
		w.log.Warn("cache not closed", "err", err)
	}
	if err := w.store.Close(); err != nil {
		w.log.Warn("store not closed", "err", err)
	}
}

// closing keeps the error that mattered.
func closing(err, closeErr error) error {
	if closeErr != nil {
		return fmt.Errorf("%w (then closing: %w)", err, closeErr)
	}
	return err
}
