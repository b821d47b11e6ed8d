package scaler

import (
	"context"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// backlog is what waits.
type backlog struct {
	waiting  int // for a worker
	held     int // for somebody to give it out again: its lane is paused, or kept for a trial
	inFlight int
	asking   int
	leader   string
	canary   string // the worker of a trial that goes on; empty: there is none
}

// listing is the fleet as EC2 and the workers tell of it.
type listing struct {
	fleet.Listing
	workers []jobqueue.Worker
}

// work is what workers have done.
type work struct {
	finished, worked float64
	heard            time.Duration // age of the newest reading
	silent           bool          // there was none
}

// senses is everything that is read, each in a loop of its own.
type senses struct {
	began    time.Time // when the counters were 0
	events   teller
	leading  func() bool // whoever stands by tells nothing
	accepted *gauge[float64]
	backlog  *gauge[backlog]
	listing  *gauge[listing]
	work     *gauge[work]
	cpu      *gauge[fleet.Reading] // mean of all instances over two minutes, at the begin of the newer

	mu       sync.Mutex // guards all below
	ids      []string   // of the instances, for CloudWatch
	launched map[string]time.Time
	boots    []time.Duration  // of late, the newest last
	minutes  [2]fleet.Reading // the last whole minutes of CPU, the newest first
}

const (
	rememberedBoots = 50
	// telemetryLookBack covers a worker's heartbeat and a reading that came late.
	telemetryLookBack = 20 * time.Second
)

func newSenses(cfg Config, doors Doors, leading func() bool, log *slog.Logger) *senses {
	s := &senses{began: time.Now().UTC(), events: doors.Queue, leading: leading, launched: map[string]time.Time{}}
	counter := &arrivals{store: doors.Store}
	s.accepted = sense("accepted", cfg.QueueInterval, cfg.ReadTimeout, log, counter.read)
	s.backlog = sense("backlog", cfg.QueueInterval, cfg.ReadTimeout, log, func(ctx context.Context) (backlog, error) { return readBacklog(ctx, doors) })
	s.listing = sense("instances", cfg.FleetInterval, 2*cfg.Fleet.CallTimeout, log, func(ctx context.Context) (listing, error) { return s.readListing(ctx, doors) })
	s.work = sense("work", cfg.CountersInterval, cfg.ReadTimeout, log, readWork(doors))
	s.cpu = sense("cpu", cfg.CPUInterval, cfg.Fleet.CallTimeout, log, func(ctx context.Context) (fleet.Reading, error) { return s.readCPU(ctx, doors) })
	return s
}

func sense[V any](name string, every, timeout time.Duration, log *slog.Logger, read func(context.Context) (V, error)) *gauge[V] {
	return &gauge[V]{name: name, every: every, timeout: timeout, log: log, read: read}
}

// Run reads until ctx ends.
func (s *senses) Run(ctx context.Context) error {
	running, ctx := errgroup.WithContext(ctx)
	for _, run := range []func(context.Context) error{s.accepted.Run, s.backlog.Run, s.listing.Run, s.work.Run, s.cpu.Run} {
		running.Go(func() error { return run(ctx) })
	}
	return running.Wait()
}

// readBacklog counts each photo that waits once: what is on the broker there, what is
// not, in MySQL. What no further worker would be given is no reason to grow.
func readBacklog(ctx context.Context, doors Doors) (backlog, error) {
	var depths map[job.Lane]jobqueue.Depth
	var photos, items int
	var trial jobqueue.Trial
	reading, each := errgroup.WithContext(ctx)
	reading.Go(func() (err error) { depths, err = doors.Queue.Depth(each); return err })
	reading.Go(func() (err error) { photos, err = doors.Store.WaitingOutsideBroker(each); return err })
	reading.Go(func() (err error) { items, err = doors.Store.ItemsOutsideBroker(each); return err })
	reading.Go(func() error { trial, _ = doors.Queue.Trial(each); return nil }) // one that nobody can read is none
	if err := reading.Wait(); err != nil {
		return backlog{}, err
	}
	kept := trial.Lasts(time.Now())
	outside := map[job.Lane]int{job.LaneInteractive: photos, job.LaneBatch: items}
	if kept || depths[job.LaneCanary].Paused > 0 {
		photos, items, err := doors.Store.CanaryOutsideBroker(ctx)
		if err != nil {
			return backlog{}, err
		}
		outside[job.LaneInteractive] -= photos
		outside[job.LaneBatch] -= items
		outside[job.LaneCanary] = photos + items
	}
	b := backlogOf(depths, outside, kept)
	if kept {
		b.canary = trial.Worker
	}
	return b, nil
}

// backlogOf adds up what waits on the broker and outside of it, in MySQL alone: photos in
// no batch as if all were interactive, as nearly all are.
func backlogOf(depths map[job.Lane]jobqueue.Depth, outside map[job.Lane]int, trial bool) (b backlog) {
	for lane, d := range depths {
		pending := d.Pending + max(0, outside[lane])
		if d.Paused > 0 || lane == job.LaneCanary && trial {
			b.held += pending
		} else {
			b.waiting += pending
		}
		b.inFlight += d.InFlight
		b.asking += d.Asking
		if d.Leader != "" {
			b.leader = d.Leader
		}
	}
	return b
}

// readListing asks who lives before it asks EC2, so that nobody is thought dead for
// having come meanwhile.
func (s *senses) readListing(ctx context.Context, doors Doors) (listing, error) {
	workers, err := doors.Queue.Workers(ctx)
	var alive fleet.Heartbeats // nil: nobody knows
	if err == nil {
		alive = fleet.Heartbeats{}
		for _, w := range workers {
			if w.SeenAt.After(alive[w.Instance]) {
				alive[w.Instance] = w.SeenAt
			}
		}
	}
	l, err := doors.Fleet.Instances(ctx, alive)
	if err != nil {
		return listing{}, err
	}
	s.noteBoots(ctx, l)
	return listing{l, workers}, nil
}

// noteBoots measures from launch to the first sign of life.
func (s *senses) noteBoots(ctx context.Context, l fleet.Listing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids = s.ids[:0]
	there := make(map[string]bool, len(l.Instances))
	for _, i := range l.Instances {
		there[i.ID] = true
		if i.Up() {
			s.ids = append(s.ids, i.ID)
		}
		switch launched, waited := s.launched[i.ID]; {
		case i.Health == fleet.HealthBooting:
			s.launched[i.ID] = i.LaunchedAt
		case waited && i.Health == fleet.HealthReady:
			s.boots = append(s.boots, l.At.Sub(launched))
			s.boots = s.boots[max(0, len(s.boots)-rememberedBoots):]
			delete(s.launched, i.ID)
			if s.leading() {
				s.events.AnnounceFleet(ctx, jobqueue.EventReady, i.ID, fleetEvent{At: l.At.UTC()})
			}
		}
	}
	for id := range s.launched {
		if !there[id] {
			delete(s.launched, id)
		}
	}
}

func readWork(doors Doors) func(context.Context) (work, error) {
	sums := newCounters()
	return func(ctx context.Context) (work, error) {
		readings, err := doors.Queue.WorkerReadings(ctx, "", telemetryLookBack)
		if err != nil {
			return work{}, err
		}
		sums.hear(readings)
		w := work{finished: sums.finished, worked: sums.worked, silent: len(readings) == 0}
		if !w.silent {
			w.heard = readings[len(readings)-1].Age
		}
		return w, nil
	}
}

// readCPU is the mean of all instances over the last two whole minutes that CloudWatch
// has; NaN if it has none.
func (s *senses) readCPU(ctx context.Context, doors Doors) (fleet.Reading, error) {
	s.mu.Lock()
	ids := slices.Clone(s.ids)
	s.mu.Unlock()
	readings, err := doors.Fleet.CPU(ctx, ids)
	if err != nil {
		return fleet.Reading{}, err
	}
	var minute fleet.Reading
	for _, r := range readings {
		minute.Value += r.Value / float64(len(readings))
		if r.At.After(minute.At) {
			minute.At = r.At
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if minute.At.After(s.minutes[0].At) {
		s.minutes[1] = s.minutes[0]
	}
	if !minute.At.Before(s.minutes[0].At) && len(readings) > 0 {
		s.minutes[0] = minute
	}
	newest, before := s.minutes[0], s.minutes[1]
	switch {
	case newest.At.IsZero():
		newest.Value = math.NaN()
	case newest.At.Sub(before.At) == time.Minute:
		newest.Value = (newest.Value + before.Value) / 2
	}
	return newest, nil
}
