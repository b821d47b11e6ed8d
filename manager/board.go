package manager

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/estimate"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// paceMinutes is how far back the first page's small charts reach.
const paceMinutes = 30

// scaling is what the scaler decided last.
type scaling struct {
	last, change *jobstore.ScalingDecision // of any kind; that wanted another size
}

// board holds every reading of the live pages, each taken by a loop of its own.
type board struct {
	workers   *gauge[[]jobqueue.Worker]
	lanes     *gauge[map[job.Lane]lane]
	intake    *gauge[jobqueue.Intake]
	trial     *gauge[jobqueue.Trial]
	open      *gauge[jobstore.OpenPhotos]
	photos    *gauge[map[job.State]int]
	pace      *gauge[[]jobstore.Minute]
	dead      *gauge[int]
	groups    *gauge[deadGroups]
	failing   *gauge[failing]
	decisions *gauge[scaling]
	mysql     *gauge[time.Duration] // how long it takes to answer
	nats      *gauge[time.Duration]
	redis     *gauge[time.Duration]
	s3        *gauge[time.Duration]
	waiting   *gauge[waiting]
	outlook   *gauge[estimate.Outlook]
	erasures  *gauge[erasuresAnswer]
	audit     *gauge[[]jobstore.Audit] // the newest

	descriptions descriptions

	fleet fleetBoard

	all []func(context.Context) error

	catchUpTime, catchUpOnce time.Duration // see ReadingConfig
}

// gaugeOf makes a gauge that the board runs.
func gaugeOf[T any](b *board, s *Service, name string, every time.Duration, read func(context.Context) (T, error)) *gauge[T] {
	cfg := s.cfg.Reading
	stale := cfg.StaleAfter
	if every > time.Second { // a reading is no older for being taken seldom
		stale += every
	}
	g := &gauge[T]{
		name: name, every: every, timeout: cfg.ReadTimeout, stale: stale, read: read, log: s.tel.Log,
		wake: make(chan struct{}, 1), taken: make(chan struct{}),
	}
	b.all = append(b.all, g.Run)
	return g
}

func newBoard(s *Service) *board {
	b := &board{catchUpTime: s.cfg.Reading.CatchUpTime, catchUpOnce: s.cfg.Reading.CatchUpOnce}
	often, count, seldom := s.cfg.Reading.LiveInterval, s.cfg.Reading.CountInterval, s.cfg.Reading.TotalInterval
	b.workers = gaugeOf(b, s, "workers", often, s.queue.Workers)
	b.lanes = gaugeOf(b, s, "lanes", often, s.readLanes)
	b.intake = gaugeOf(b, s, "intake", often, s.queue.Intake)
	b.trial = gaugeOf(b, s, "trial", often, s.queue.Trial)
	b.dead = gaugeOf(b, s, "dead letters", often, s.queue.DeadLetters)
	b.open = gaugeOf(b, s, "open photos", count, s.store.CountOpen)
	b.decisions = gaugeOf(b, s, "scaling decisions", count, s.readScaling)
	b.photos = gaugeOf(b, s, "photos", seldom, func(ctx context.Context) (map[job.State]int, error) {
		states, _, err := s.store.Counts(ctx)
		return states, err
	})
	b.groups = gaugeOf(b, s, "failures by reason", count, s.readDeadGroups)
	b.groups.dear, b.groups.rest = func(all deadGroups) bool { return all.photos() > countedOften }, seldom
	b.groups.stale += seldom
	b.failing = gaugeOf(b, s, "failures", count, failingReader(s))
	b.failing.lazy = true
	b.pace = gaugeOf(b, s, "pace", seldom, func(ctx context.Context) ([]jobstore.Minute, error) {
		return s.store.Pace(ctx, paceMinutes)
	})
	b.mysql = gaugeOf(b, s, "mysql", often, answers(s.store.Ping))
	b.nats = gaugeOf(b, s, "nats", often, answers(s.queue.Ping))
	b.redis = gaugeOf(b, s, "redis", often, answers(s.cache.Ping))
	b.s3 = gaugeOf(b, s, "s3", often, answers(s.images.Ping))
	b.waiting = gaugeOf(b, s, "waiting photos", 2*count, s.readWaiting)
	b.waiting.lazy = true
	b.waiting.dear, b.waiting.rest = func(w waiting) bool { return w.photos() > countedOften*10 }, seldom
	b.waiting.stale += seldom
	b.outlook = gaugeOf(b, s, "outlook", 2*count, outlookReader(s))
	b.outlook.lazy = true
	b.erasures = gaugeOf(b, s, "erasures", count, func(ctx context.Context) (erasuresAnswer, error) {
		return s.listErasures(ctx, erasuresRequest{Limit: shownErasures})
	})
	b.erasures.lazy = true
	b.audit = gaugeOf(b, s, "audit log", count, func(ctx context.Context) ([]jobstore.Audit, error) { return s.store.ListAudit(ctx, auditPage) })
	b.audit.lazy = true
	b.descriptions = newDescriptions(b, s)
	b.fleet = newFleetBoard(b, s)
	return b
}

// answers says how long a part takes to answer.
func answers(ping func(context.Context) error) func(context.Context) (time.Duration, error) {
	return func(ctx context.Context) (time.Duration, error) {
		began := time.Now()
		err := ping(ctx)
		return time.Since(began), err
	}
}

func (s *Service) readScaling(ctx context.Context) (found scaling, err error) {
	for _, want := range []struct {
		to     **jobstore.ScalingDecision
		filter jobstore.DecisionFilter
	}{
		{&found.last, jobstore.DecisionFilter{Limit: 1}},
		{&found.change, jobstore.DecisionFilter{Limit: 1, Changes: true, Since: time.Now().Add(-24 * time.Hour)}},
	} {
		list, err := s.store.ListDecisions(ctx, want.filter)
		if err != nil {
			return scaling{}, err
		}
		if len(list) > 0 {
			*want.to = &list[0]
		}
	}
	return found, nil
}

// Run takes all readings until ctx ends.
func (b *board) Run(ctx context.Context) error {
	all, ctx := errgroup.WithContext(ctx)
	for _, run := range b.all {
		all.Go(func() error { return run(ctx) })
	}
	return all.Wait()
}
