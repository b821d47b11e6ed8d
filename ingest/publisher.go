package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
)

// PublisherConfig is how the publisher looks after photos.
type PublisherConfig struct {
	// Interval is how often it looks.
	Interval time.Duration `env:"PUBLISHER_INTERVAL" envDefault:"1s"`
	// UnconfirmedFor is how long a photo may wait for the confirmation of the door
	// that accepted it, before any door takes over.
	UnconfirmedFor time.Duration `env:"PUBLISHER_UNCONFIRMED_FOR" envDefault:"5s"`
	// UnseenFor is how long a waiting photo is believed to be on the broker without
	// a look.
	UnseenFor time.Duration `env:"PUBLISHER_UNSEEN_FOR" envDefault:"60s"`
	// LeaseGrace is how long leases are left alone after MySQL was away: workers
	// that waited for it with a result in hand come first.
	LeaseGrace time.Duration `env:"PUBLISHER_LEASE_GRACE" envDefault:"15s"`
	// BatchSize is how many photos it looks after at a time.
	BatchSize int `env:"PUBLISHER_BATCH_SIZE" envDefault:"500"`
}

// Validate checks the ranges.
func (c *PublisherConfig) Validate() error {
	if c.BatchSize < 1 {
		return errors.New("PUBLISHER_BATCH_SIZE must be at least 1")
	}
	return errors.Join(positive("PUBLISHER_INTERVAL", c.Interval),
		positive("PUBLISHER_UNCONFIRMED_FOR", c.UnconfirmedFor), positive("PUBLISHER_UNSEEN_FOR", c.UnseenFor))
}

const (
	handOverTimeout      = 3 * time.Second
	publisherConcurrency = 16
	pagesARound          = 20 // of PublisherConfig.BatchSize photos
)

// publisher keeps the promise of the rows: outbox relay, sweeper and dispatcher in
// one. It may run in every door at once, because each change it makes is guarded by
// the publication it read.
type publisher struct {
	store   *jobstore.Store
	queue   *jobqueue.Queue
	cfg     PublisherConfig
	log     *slog.Logger
	actions *prometheus.CounterVec

	graceUntil time.Time // of Run's goroutine alone
}

func newPublisher(store *jobstore.Store, queue *jobqueue.Queue, cfg PublisherConfig, log *slog.Logger, registerer prometheus.Registerer) *publisher {
	p := &publisher{
		store: store,
		queue: queue,
		cfg:   cfg,
		log:   log,
		actions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "maskfleet_ingest_publisher_actions_total",
			Help: "What the publisher did for photos that nobody else looked after.",
		}, []string{"action"}),
	}
	registerer.MustRegister(p.actions)
	for _, a := range []string{"confirmed", "republished", "recovered", "abandoned", "dead_lettered"} {
		p.actions.WithLabelValues(a)
	}
	return p
}

// handOver publishes a photo that was just accepted. Its acceptance stands whatever
// comes of this: a photo that is not handed over now is found by Run.
func (p *publisher) handOver(ctx context.Context, photo job.Photo) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), handOverTimeout)
	defer cancel()
	err := p.queue.Publish(ctx, job.NewMessage(photo, photo.Row.Publication))
	if err == nil {
		_, err = p.store.Confirm(ctx, photo.ID, photo.Row.Publication)
	}
	if err != nil {
		p.log.WarnContext(ctx, "photo accepted but not handed over yet", "photo_id", photo.ID, "err", err)
	}
}

// reopen queues a photo anew in the name of who asked for it, if it is at a failed end.
// That of a batch waits for its turn among its owner's others; any other is handed over.
func (p *publisher) reopen(ctx context.Context, photo job.Photo, by string) error {
	changed, err := p.store.Reopen(ctx, photo.ID)
	if err != nil || !changed {
		return err
	}
	p.queue.Announce(ctx, photo.ID, jobqueue.StageReopened, struct {
		By  string      `json:"by"`
		Via command.Via `json:"via"`
	}{by, command.ViaPage})
	if photo.BatchID != (uuid.UUID{}) {
		return nil
	}
	again, err := p.store.Find(ctx, photo.ID)
	if err != nil {
		return err
	}
	p.handOver(ctx, again)
	return nil
}

// Run looks after photos until ctx ends.
func (p *publisher) Run(ctx context.Context) error {
	tick := time.NewTicker(p.cfg.Interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		for _, look := range []struct {
			after string
			run   func(context.Context) error
		}{
			{"photos due", p.publishDue},
			{"leases", p.endLeases},
			{"dead letters", p.writeDeadLetters},
		} {
			if err := look.run(ctx); err != nil && ctx.Err() == nil {
				p.log.WarnContext(ctx, "publisher did not finish its round", "looking_after", look.after, "err", err)
			}
		}
	}
}

// publishDue brings photos to the broker that wait, are due and are not there.
func (p *publisher) publishDue(ctx context.Context) error {
	err := p.publishUnconfirmed(ctx)
	if !endsRound(err) {
		err = errors.Join(err, p.publishUnseen(ctx))
	}
	if errors.Is(err, jobqueue.ErrNoStream) {
		return errors.Join(err, p.queue.Restore(ctx))
	}
	return err
}

// publishUnconfirmed goes on page after page, past photos that have to wait for
// their older message to go away. The next round begins at the first of them.
func (p *publisher) publishUnconfirmed(ctx context.Context) error {
	var last jobstore.Waiting
	var errs error // of photos that did not keep the others from their turn
	for range pagesARound {
		due, err := p.store.Unconfirmed(ctx, p.cfg.UnconfirmedFor, last, p.cfg.BatchSize)
		if err == nil {
			_, err = p.publishMissing(ctx, due)
		}
		errs = errors.Join(errs, err)
		if endsRound(err) || len(due) < p.cfg.BatchSize {
			break
		}
		last = due[len(due)-1]
	}
	return errs
}

// publishUnseen goes on as long as full batches leave nothing behind: what was left
// would come again at once.
func (p *publisher) publishUnseen(ctx context.Context) error {
	for range pagesARound {
		due, err := p.store.Unseen(ctx, p.cfg.UnseenFor, p.cfg.BatchSize)
		if err != nil {
			return err
		}
		if left, err := p.publishMissing(ctx, due); err != nil || left || len(due) < p.cfg.BatchSize {
			return err
		}
	}
	return nil
}

// publishMissing says whether some of the photos are not settled for now.
func (p *publisher) publishMissing(ctx context.Context, due []jobstore.Waiting) (left bool, err error) {
	var unsettled atomic.Bool
	err = each(ctx, due, func(ctx context.Context, w jobstore.Waiting) error {
		settled, err := p.publishIfMissing(ctx, w)
		if !settled {
			unsettled.Store(true)
		}
		return err
	})
	return unsettled.Load(), err
}

// publishIfMissing asks the broker first: a photo that is queued there for an hour
// is confirmed anew, not doubled. It says whether the photo is settled for now and
// need not be looked at again at once.
func (p *publisher) publishIfMissing(ctx context.Context, w jobstore.Waiting) (settled bool, err error) {
	publication, live, err := p.queue.Live(ctx, w.Lane, w.ID)
	switch {
	case err != nil:
		return false, err
	case live && publication == w.Publication:
		changed, err := p.store.Confirm(ctx, w.ID, w.Publication)
		if changed && !w.Confirmed {
			p.did("confirmed")
		}
		return true, err
	case live:
		return false, nil // an older publication: its claim is refused and it goes away
	}
	changed, err := p.store.Republish(ctx, w.ID, w.Publication)
	if err != nil || !changed {
		return true, err
	}
	next := w.Publication + 1
	err = p.queue.Publish(ctx, w.Message(next))
	switch {
	case errors.Is(err, jobqueue.ErrLive), errors.Is(err, jobqueue.ErrDuplicate):
		return true, nil // another was first, or this name is used up: the next round takes the next
	case err != nil:
		return true, fmt.Errorf("publishing %s again: %w", w.ID, err)
	}
	p.did("republished")
	_, err = p.store.Confirm(ctx, w.ID, next)
	return true, err
}

// endLeases takes photos from workers that were lost together with their message.
// (A lost worker whose message is still there is noticed earlier, by redelivery.)
func (p *publisher) endLeases(ctx context.Context) error {
	over, err := p.store.LeasesOver(ctx, p.cfg.BatchSize)
	if err != nil {
		p.graceUntil = time.Now().Add(p.cfg.LeaseGrace)
		return err
	}
	if time.Now().Before(p.graceUntil) {
		return nil
	}
	return each(ctx, over, func(ctx context.Context, w jobstore.Waiting) error {
		if w.Attempts >= job.MaxAttempts {
			changed, err := p.store.Abandon(ctx, w.ID, w.Publication)
			if changed {
				p.did("abandoned")
				p.tell(ctx, w.ID, jobqueue.StageFailed, job.CodeWorkerLost)
			}
			return err
		}
		changed, err := p.store.Recover(ctx, w.ID, w.Publication)
		if changed {
			p.did("recovered")
		}
		return err
	})
}

// writeDeadLetters writes those that the worker could not.
func (p *publisher) writeDeadLetters(ctx context.Context) error {
	due, err := p.store.DeadLettersDue(ctx, p.cfg.UnconfirmedFor, p.cfg.BatchSize)
	if err != nil {
		return err
	}
	return each(ctx, due, func(ctx context.Context, d job.DeadLetter) error {
		if err := p.queue.DeadLetter(ctx, d); err != nil {
			return err
		}
		changed, err := p.store.MarkDeadLettered(ctx, d.PhotoID, d.Publication)
		if changed {
			p.did("dead_lettered")
			p.tell(ctx, d.PhotoID, jobqueue.StageDeadLettered, d.Reason)
		}
		return err
	})
}

// tell writes a line of the photo's timeline.
func (p *publisher) tell(ctx context.Context, id job.ID, stage jobqueue.Stage, code job.Code) {
	p.queue.Announce(ctx, id, stage, struct {
		Code job.Code `json:"code"`
	}{code})
}

func (p *publisher) did(action string) { p.actions.WithLabelValues(action).Inc() }

// each runs do for every item, a few at a time. One that fails does not keep the
// others from their turn, but a store or broker that is away ends the round.
func each[T any](ctx context.Context, items []T, do func(context.Context, T) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var (
		g    errgroup.Group
		mu   sync.Mutex // guards errs
		errs []error
	)
	g.SetLimit(publisherConcurrency)
	for _, item := range items {
		g.Go(func() error {
			if ctx.Err() != nil {
				return nil
			}
			err := do(ctx, item)
			if endsRound(err) {
				stop()
			}
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
			return nil
		})
	}
	_ = g.Wait() // its functions report through errs
	return errors.Join(errs...)
}

// endsRound says that a store or the broker is away, or takes nothing in.
func endsRound(err error) bool {
	return errors.Is(err, jobqueue.ErrUnavailable) || errors.Is(err, jobqueue.ErrFull) || errors.Is(err, jobstore.ErrUnavailable)
}
