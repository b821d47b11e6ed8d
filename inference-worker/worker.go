package inferenceworker

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

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
)

// Worker works on as many photos at once as it has slots.
type Worker struct {
	cfg     Config
	machine *instance.Instance
	log     *slog.Logger
	tail    func(lines int) []string // the last of the log
	tracer  trace.Tracer
	metrics metrics

	store  *jobstore.Store
	queue  *jobqueue.Queue
	images *imagestore.Store
	cache  *cache.Cache
	fetch  *linkfetch.Fetcher
	pool   *slot.Pool
	outage *outage

	answers   *command.Server // over which commands are answered
	gate      gate
	nudged    chan struct{} // holds one: announce at once
	startedAt time.Time
	jobs      sync.WaitGroup

	mu       sync.Mutex // guards what follows
	inHand   map[job.ID]held
	done     tally
	drained  drained // why the gate is closed
	notice   *jobqueue.SpotNotice
	stopping bool
}

// tally is what the worker has done since its start.
type tally struct {
	jobs int64
	busy time.Duration // of all slots
}

// held is what the worker knows of a photo in hand beside its task.
type held struct {
	publication int
	lane        job.Lane
	since       time.Time
	attempt     int       // of the claim; 0 before it
	claimed     time.Time // zero before it
}

// Run takes photos until ctx ends. Then it drains: it takes no more, gives work in
// hand DrainTimeout to finish, and releases what is left, which costs no attempt.
func (w *Worker) Run(ctx context.Context) error {
	work, hardStop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer hardStop(nil)
	background, endBackground := context.WithCancel(context.WithoutCancel(ctx))

	var keepers sync.WaitGroup
	keepers.Go(func() {
		if err := w.pool.Run(background); err != nil {
			w.log.ErrorContext(ctx, "slots ended", "err", err)
		}
	})
	keepers.Go(func() { w.announce(background) })
	keepers.Go(func() { w.answerCommands(background) })
	keepers.Go(func() { w.machine.WatchSpot(background, w.log, w.heedNotice) })

	w.log.InfoContext(ctx, "worker started", "worker_id", w.cfg.ID, "num_slots", w.pool.Size())
	w.gate.whileOpen(ctx, func(ctx context.Context) { w.pull(ctx, work) })
	w.drain(hardStop)
	endBackground()
	keepers.Wait()
	w.log.InfoContext(context.WithoutCancel(ctx), "worker drained")
	return nil
}

// drain waits for the work in hand, at most DrainTimeout before it is interrupted.
func (w *Worker) drain(hardStop context.CancelCauseFunc) {
	w.mu.Lock()
	w.stopping = true
	inHand := len(w.inHand)
	w.mu.Unlock()
	w.log.Info("draining", "num_in_hand", inHand, "timeout", w.cfg.DrainTimeout)
	limit := time.AfterFunc(w.cfg.DrainTimeout, func() { hardStop(lifecycle.ErrStopping) })
	defer limit.Stop()
	w.jobs.Wait()
}

// start runs one delivery on a slot that it gives back.
func (w *Worker) start(work context.Context, d *jobqueue.Delivery, s *slot.Slot) {
	if !w.takeInHand(work, d) {
		s.Release()
		return
	}
	w.jobs.Go(func() {
		defer w.letGo(d.Message.PhotoID)
		defer s.Release()
		w.handle(work, d, s)
	})
}

// takeInHand gives false for a delivery of a photo that is in hand already, having
// settled it.
func (w *Worker) takeInHand(ctx context.Context, d *jobqueue.Delivery) bool {
	w.mu.Lock()
	now, holding := w.inHand[d.Message.PhotoID]
	if !holding {
		w.inHand[d.Message.PhotoID] = held{publication: d.Message.Publication, lane: d.Message.Lane, since: time.Now()}
	}
	w.mu.Unlock()
	switch {
	case !holding:
		return true
	case now.publication == d.Message.Publication:
		w.extend(ctx, d) // the broker gave us again what we hold: our extension came late
	default:
		w.nak(ctx, d, w.cfg.RetryBase) // by then we have noticed that ours is no longer the one
	}
	return false
}

func (w *Worker) letGo(id job.ID) {
	w.mu.Lock()
	defer w.mu.Unlock()
	h, holding := w.inHand[id]
	if !holding {
		return
	}
	delete(w.inHand, id)
	w.done.busy += time.Since(h.since)
	if !h.claimed.IsZero() {
		w.done.jobs++
	}
	if len(w.inHand) == 0 && w.gate.isClosed() {
		w.announceNow() // somebody waits for it
	}
}

// claimed notes that the photo is the worker's, until its lease is over.
func (w *Worker) claimed(t *task, p job.Photo) {
	t.photo, t.claimed = p, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if h, holding := w.inHand[p.ID]; holding {
		h.attempt, h.claimed = p.Row.Attempts, t.claimed
		w.inHand[p.ID] = h
	}
}
