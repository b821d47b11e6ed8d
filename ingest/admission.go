package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/problem"
)

const (
	lookTimeout    = 2 * time.Second // of one look at one store
	fullRetryAfter = 10 * time.Second
	busyRetryAfter = 2 * time.Second

	batchesRetryAfter = time.Minute
	pausedRetryAfter  = time.Minute // at most: pauses may be ended early
)

// depthReader is the broker as admission sees it.
type depthReader interface {
	Depth(ctx context.Context) (map[job.Lane]jobqueue.Depth, error)
}

// intakeReader is where operators pause the intake.
type intakeReader interface {
	Intake(ctx context.Context) (jobqueue.Intake, error)
}

// backlogReader is MySQL as admission sees it.
type backlogReader interface {
	WaitingOutsideBroker(ctx context.Context) (int, error)
	WaitingInBatches(ctx context.Context) (int, error)
}

// pinger is S3 as admission sees it.
type pinger interface {
	Ping(ctx context.Context) error
}

// admission decides whether the door takes anything in at all. It looks at the
// queue and the stores in the background, so that deciding costs nothing and a
// stopped store refuses requests at once instead of letting each find out.
type admission struct {
	cfg     AdmissionConfig
	queue   depthReader
	intake  intakeReader
	backlog backlogReader
	images  pinger
	log     *slog.Logger
	depth   prometheus.Gauge
	memory  *budget
	ofBatch *share // of the memory, for the bodies of batches

	mu     sync.Mutex // guards all below
	latest reading
}

// reading is what one look found.
type reading struct {
	broker  int   // photos on the broker, waiting or in work; the last known
	outside int   // photos that wait in MySQL alone, but for those of batches
	batches int   // photos of batches that have not ended
	err     error // why nothing can be stored
	late    error // a store did not answer in time, for the first time: that may be a moment's hiccup
	intake  jobqueue.Intake
	// intakeErr is why intake is an older reading, if it is.
	intakeErr error
}

// Run looks every interval until ctx ends.
func (a *admission) Run(ctx context.Context) error {
	tick := time.NewTicker(a.cfg.AdmissionInterval)
	defer tick.Stop()
	for {
		a.look(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look takes a new reading. A broker that is away does not close the door: rows are
// the promise, and its last known depth counts on.
func (a *admission) look(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	a.mu.Lock()
	last := a.latest
	a.mu.Unlock()
	next := reading{broker: last.broker, outside: last.outside, batches: last.batches, intake: last.intake}

	var looking sync.WaitGroup
	var outsideErr, imagesErr error
	looking.Go(func() {
		if depths, err := a.queue.Depth(ctx); err == nil {
			next.broker = 0
			for _, d := range depths {
				next.broker += d.Pending + d.InFlight
			}
		}
	})
	looking.Go(func() {
		var n int
		if n, outsideErr = a.backlog.WaitingOutsideBroker(ctx); outsideErr == nil {
			next.outside = n
		}
	})
	looking.Go(func() {
		if n, err := a.backlog.WaitingInBatches(ctx); err == nil {
			next.batches = n
		}
	})
	looking.Go(func() { imagesErr = a.images.Ping(ctx) })
	looking.Go(func() {
		var i jobqueue.Intake
		if i, next.intakeErr = a.intake.Intake(ctx); next.intakeErr == nil {
			next.intake = i
		}
	})
	looking.Wait()
	if errors.Is(ctx.Err(), context.Canceled) {
		return // we are stopping: nobody is away
	}
	next.judge(last, wrapped("mysql", outsideErr), wrapped("s3", imagesErr))
	if (next.err == nil) != (last.err == nil) {
		a.log.WarnContext(ctx, "admission changed", "open", next.err == nil, "err", next.err)
	}
	if next.late != nil {
		a.log.WarnContext(ctx, "a store is late; the door closes if it is the next time, too", "err", next.late)
	}
	a.logIntake(ctx, last, next)
	a.depth.Set(float64(next.broker + next.outside))
	a.mu.Lock()
	a.latest = next
	a.mu.Unlock()
}

// judge closes the door for a store that is away, and for one that is late twice in a
// row: what one late answer would refuse, the next look usually finds to be fine.
func (r *reading) judge(last reading, faults ...error) {
	fault := errors.Join(faults...)
	late := fault != nil && !slices.ContainsFunc(faults, func(err error) bool {
		return err != nil && !errors.Is(err, context.DeadlineExceeded)
	})
	if late && last.err == nil && last.late == nil {
		r.late = fault
		return
	}
	r.err = fault
}

func (a *admission) logIntake(ctx context.Context, last, next reading) {
	if next.intake != last.intake {
		a.log.WarnContext(ctx, "intake changed", "paused_until", next.intake.PausedUntil, "reason", next.intake.Reason, "by", next.intake.By)
	}
	if next.intakeErr != nil && last.intakeErr == nil {
		a.log.WarnContext(ctx, "intake cannot be read, the last reading counts", "err", next.intakeErr)
	}
}

func wrapped(what string, err error) error {
	if err != nil {
		return fmt.Errorf("looking at %s: %w", what, err)
	}
	return nil
}

// admit decides by the latest reading; nil means come in.
func (a *admission) admit() error {
	a.mu.Lock()
	now := a.latest
	a.mu.Unlock()
	if err := now.closed(); err != nil {
		return err
	}
	if now.broker+now.outside >= a.cfg.QueueLimit {
		return problem.New(http.StatusServiceUnavailable, problem.CodeQueueFull,
			"Too many photos are waiting at the moment. Nothing was stored; please try again in a few seconds.").
			WithRetryAfter(fullRetryAfter)
	}
	return nil
}

// closed refuses whatever comes: operators wanted it so, or a store is away.
func (r reading) closed() error {
	if now := time.Now(); r.intake.Paused(now) {
		return problem.New(http.StatusServiceUnavailable, problem.CodeIntakePaused,
			"No photos are taken in until "+r.intake.PausedUntil.UTC().Format("15:04 UTC on 2 January")+
				": the operators have paused it. Nothing was stored; please send it again then.").
			WithRetryAfter(min(r.intake.PausedUntil.Sub(now), pausedRetryAfter))
	}
	if r.err != nil {
		return problem.Unavailable(r.err)
	}
	return nil
}

// admitBatch decides about batches: they wait for each other and not before single
// photos, so that their queue has a limit of its own.
func (a *admission) admitBatch() error {
	a.mu.Lock()
	now := a.latest
	a.mu.Unlock()
	if err := now.closed(); err != nil {
		return err
	}
	if now.batches >= a.cfg.BatchQueueLimit {
		return problem.New(http.StatusServiceUnavailable, problem.CodeQueueFull,
			"Too many photos of batches are waiting at the moment. Nothing was stored; please try again in a few minutes.").
			WithRetryAfter(batchesRetryAfter)
	}
	return nil
}

// admitBytes refuses at once a body whose announced length cannot be held now.
// length below 0 means that it was not announced.
func (a *admission) admitBytes(length int64) error {
	if err := a.admit(); err != nil {
		return err
	}
	return a.fitBytes(length)
}

// fitBytes refuses a body for want of memory alone.
func (a *admission) fitBytes(length int64) error {
	if !a.memory.fits(max(length, 0)) {
		return tooBusy()
	}
	return nil
}

func tooBusy() error {
	return problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
		"Too many photos are arriving at this moment. Nothing was stored; please try again in a few seconds.").
		WithRetryAfter(busyRetryAfter)
}
