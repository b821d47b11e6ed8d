package inferenceworker

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"maskfleet/inference-worker/slot"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
)

// errLostFence ends a job whose photo was claimed by another meanwhile. Nothing may
// be touched any more: JetStream would take our ack for the other's.
var errLostFence = errors.New("fence lost to another claim")

// refusedError ends a job that never began.
type refusedError struct {
	refusal job.Refusal
	wait    time.Duration // until run_at, when it is early
	photo   job.Photo     // as it stands, if there is a row
}

func (e *refusedError) Error() string { return "claim refused: " + string(e.refusal) }

// outcome is how a job ended, as a label of metrics and a word in logs.
type outcome string

const (
	outcomeFinished  outcome = "finished"
	outcomeRefused   outcome = "refused"
	outcomeStale     outcome = "stale"
	outcomeReleased  outcome = "released"
	outcomeRetried   outcome = "retried"
	outcomeFailed    outcome = "failed"
	outcomeUnknown   outcome = "unknown"
	outcomeUnsettled outcome = "unsettled"
)

// settle decides what becomes of the photo and of its message:
//
//	how the job ended                      photo             message
//	finished                               succeeded         ack
//	claim refused                          as it is          see refuse
//	message that cannot be read            none              DEAD, term
//	message of a later version             none              nak with delay
//	fence lost                             another's         left alone
//	we stop, or a store is away            queued, released  nak
//	slot found dead before the photo       queued, released  nak
//	failure that another attempt may mend  queued            nak with delay, or ack and run_at
//	failure for good                       failed            DEAD, term
//
// Whatever cannot be written now is left unsettled: the message comes again, or the
// publisher finds the lease over.
func (w *Worker) settle(work context.Context, t *task, err error) {
	// The job may have ended because work did; its last words are still to be said.
	ctx, cancel := context.WithCancel(context.WithoutCancel(work))
	defer cancel()
	defer context.AfterFunc(work, func() { time.AfterFunc(w.cfg.StopLimit, cancel) })()
	ended := w.settleAs(ctx, t, err)
	w.metrics.jobs.WithLabelValues(string(ended)).Inc()
	var took time.Duration // of the work; none without a claim
	if !t.claimed.IsZero() {
		took = time.Since(t.claimed)
		w.metrics.seconds.WithLabelValues(string(ended)).Observe(took.Seconds())
	}
	w.log.InfoContext(ctx, "job ended", "photo_id", t.delivery.Message.PhotoID, "outcome", ended,
		"attempt", t.photo.Row.Attempts, "duration", took, "err", err)
}

func (w *Worker) settleAs(ctx context.Context, t *task, err error) outcome {
	var (
		refused *refusedError
		failure *job.Failure
	)
	switch {
	case err == nil:
		w.ack(ctx, t.settling())
		return outcomeFinished
	case errors.As(err, &refused):
		return w.refuse(ctx, t, refused)
	case errors.Is(err, job.ErrSchemaVersion):
		w.nak(ctx, t.settling(), w.cfg.RetryBase)
		return outcomeRefused
	case errors.Is(err, job.ErrMalformed):
		return w.buryUnknown(ctx, t, jobqueue.ReasonMalformed)
	case errors.Is(err, errLostFence):
		return outcomeStale
	case interrupted(err):
		return w.release(ctx, t, 0)
	case unavailable(err):
		w.outage.trip(err)
		return w.release(ctx, t, w.cfg.OutageProbe)
	case errors.Is(err, slot.ErrLost):
		return w.release(ctx, t, 0)
	case errors.As(err, &failure):
		return w.fail(ctx, t, failure)
	default:
		return w.fail(ctx, t, job.Fail(job.CodeInternal, err))
	}
}

func interrupted(err error) bool { return errors.Is(err, lifecycle.ErrStopping) }

// unavailable says that a store could not be reached, or lets nobody in: both end
// without a photo's doing, and none is charged for them.
func unavailable(err error) bool {
	for _, trouble := range []error{
		jobstore.ErrUnavailable, imagestore.ErrUnavailable, imagestore.ErrDenied, imagestore.ErrNoBucket,
	} {
		if errors.Is(err, trouble) {
			return true
		}
	}
	return false
}

func isNoStream(err error) bool { return errors.Is(err, jobqueue.ErrNoStream) }

// refuse settles a message that gave no work; see job.Refusal.
func (w *Worker) refuse(ctx context.Context, t *task, r *refusedError) outcome {
	switch r.refusal {
	case job.RefusedUnknown:
		return w.buryUnknown(ctx, t, jobqueue.ReasonUnknown)
	case job.RefusedEarly:
		w.nak(ctx, t.settling(), r.wait)
	case job.RefusedExhausted:
		return w.exhaust(ctx, t, r.photo)
	case job.RefusedTerminal:
		if r.photo.Row.State == job.StateFailed && !r.photo.Row.DeadLetter && !w.deadLetter(ctx, r.photo) {
			return outcomeUnsettled
		}
		w.ack(ctx, t.settling())
	default:
		w.ack(ctx, t.settling())
	}
	return outcomeRefused
}

// exhaust ends a photo whose last attempt was lost with its worker.
func (w *Worker) exhaust(ctx context.Context, t *task, photo job.Photo) outcome {
	id := photo.ID
	err := w.persist(ctx, func(ctx context.Context) error {
		_, err := w.store.Exhaust(ctx, id, photo.Row.Publication)
		return err
	})
	if err == nil {
		photo, err = w.store.Find(ctx, id)
	}
	if err != nil {
		w.log.ErrorContext(ctx, "photo without attempts left not ended", "photo_id", id, "err", err)
		return outcomeUnsettled
	}
	if photo.Row.State != job.StateFailed {
		return outcomeStale
	}
	t.photo = photo
	return w.bury(ctx, t)
}

// release puts the photo back as if it had never been claimed.
func (w *Worker) release(ctx context.Context, t *task, delay time.Duration) outcome {
	if t.doubtful { // a claim that stands must be given back, too
		if err := w.persist(ctx, func(ctx context.Context) error { return w.recall(ctx, t) }); err != nil {
			w.log.WarnContext(ctx, "claim in doubt, it may count as an attempt", "photo_id", t.delivery.Message.PhotoID, "err", err)
		}
	}
	if !t.claimed.IsZero() {
		err := w.change(ctx, t, job.StateQueued, func(ctx context.Context) (bool, error) {
			return w.store.Release(ctx, t.photo.ID, t.photo.Row.Fence)
		})
		if errors.Is(err, errLostFence) {
			return outcomeStale
		}
		if err != nil {
			w.log.ErrorContext(ctx, "photo not released", "photo_id", t.photo.ID, "err", err)
			return outcomeUnsettled
		}
		w.tell(ctx, t.photo, jobqueue.StageReleased, nil)
	}
	w.nak(ctx, t.settling(), delay)
	return outcomeReleased
}

// fail charges the attempt, and brings the photo back later or ends it.
func (w *Worker) fail(ctx context.Context, t *task, f *job.Failure) outcome {
	if t.claimed.IsZero() {
		// No attempt was begun, so none can fail: a fault of ours or the broker's.
		w.log.ErrorContext(ctx, "claim failed", "photo_id", t.delivery.Message.PhotoID, "err", f)
		w.nak(ctx, t.settling(), w.cfg.RetryBase)
		return outcomeUnsettled
	}
	if !mayRetry(t.photo.Row, f) {
		return w.failForGood(ctx, t, f)
	}
	delay := w.retryDelay(t.photo.Row.Attempts)
	id, fence := t.photo.ID, t.photo.Row.Fence
	onBroker := delay <= w.cfg.RetryOnBroker
	err := w.change(ctx, t, job.StateQueued, func(ctx context.Context) (bool, error) {
		if onBroker {
			return w.store.BackOff(ctx, id, fence, f, delay)
		}
		return w.store.Defer(ctx, id, fence, f, delay)
	})
	switch {
	case errors.Is(err, errLostFence):
		return outcomeStale
	case err != nil:
		w.log.ErrorContext(ctx, "failed attempt not recorded", "photo_id", id, "err", err)
		return outcomeUnsettled
	}
	w.tell(ctx, t.photo, jobqueue.StageRetrying, f)
	if onBroker {
		w.nak(ctx, t.settling(), delay)
	} else {
		w.ack(ctx, t.settling())
	}
	return outcomeRetried
}

// mayRetry says whether another attempt is allowed and can help.
func mayRetry(r job.Row, f *job.Failure) bool {
	deaths := r.SlotDeaths
	if f.SlotDeath {
		deaths++
	}
	return f.Retryable() && r.Attempts < job.MaxAttempts && deaths < job.MaxSlotDeaths
}

// retryDelay is RetryBase × 4^(attempts−1), give or take a fifth, so that photos
// which failed together do not come back together.
func (w *Worker) retryDelay(attempts int) time.Duration {
	d := w.cfg.RetryBase
	for range attempts - 1 {
		d *= 4
	}
	return time.Duration(float64(d) * (0.8 + 0.4*rand.Float64()))
}

func (w *Worker) failForGood(ctx context.Context, t *task, f *job.Failure) outcome {
	id, fence := t.photo.ID, t.photo.Row.Fence
	f.Model = w.pool.Model()
	err := w.change(ctx, t, job.StateFailed, func(ctx context.Context) (bool, error) {
		return w.store.Fail(ctx, id, fence, f)
	})
	if err == nil {
		t.photo, err = w.store.Find(ctx, id)
	}
	switch {
	case errors.Is(err, errLostFence):
		return outcomeStale
	case err != nil:
		w.log.ErrorContext(ctx, "failure not recorded", "photo_id", id, "err", err)
		return outcomeUnsettled
	}
	return w.bury(ctx, t)
}

// bury writes a failed photo's dead letter and ends its message, in this order: a
// crash in between writes the dead letter again, under the same name.
func (w *Worker) bury(ctx context.Context, t *task) outcome {
	w.notify(ctx, t.photo.ID)
	w.tell(ctx, t.photo, jobqueue.StageFailed, t.photo.Failure)
	if !w.deadLetter(ctx, t.photo) {
		return outcomeUnsettled
	}
	if err := t.settling().Term(string(t.photo.Failure.Code)); err != nil {
		w.log.WarnContext(ctx, "message not ended", "photo_id", t.photo.ID, "err", err)
	}
	return outcomeFailed
}

func (w *Worker) deadLetter(ctx context.Context, p job.Photo) bool {
	var marked bool
	err := w.queue.DeadLetter(ctx, job.NewDeadLetter(p))
	if err == nil {
		marked, err = w.store.MarkDeadLettered(ctx, p.ID, p.Row.Publication)
	}
	if marked {
		w.tell(ctx, p, jobqueue.StageDeadLettered, p.Failure)
	}
	if err != nil { // the publisher will do it
		w.log.WarnContext(ctx, "dead letter not written", "photo_id", p.ID, "err", err)
	}
	return err == nil
}

func (w *Worker) buryUnknown(ctx context.Context, t *task, reason string) outcome {
	if err := w.queue.DeadLetterUnknown(ctx, reason, t.delivery); err != nil {
		w.log.WarnContext(ctx, "dead letter not written", "subject", t.delivery.Subject, "err", err)
		return outcomeUnsettled
	}
	if err := t.settling().Term(reason); err != nil {
		w.log.WarnContext(ctx, "message not ended", "subject", t.delivery.Subject, "err", err)
	}
	return outcomeUnknown
}

// change runs a fenced transition to a state. A refused one means that the fence is
// lost, unless an answer went missing and the row shows that we made it already.
func (w *Worker) change(ctx context.Context, t *task, to job.State, transition func(context.Context) (bool, error)) error {
	uncertain := false
	return w.persist(ctx, func(ctx context.Context) error {
		changed, err := transition(ctx)
		if err != nil {
			uncertain = true
			return err
		}
		if changed {
			return nil
		}
		if uncertain {
			p, err := w.store.Find(ctx, t.photo.ID)
			if err == nil && p.Row.Fence == t.photo.Row.Fence && p.Row.State == to {
				return nil
			}
			if err != nil && !errors.Is(err, jobstore.ErrNotFound) {
				return err
			}
		}
		return fmt.Errorf("photo %s to %s: %w", t.photo.ID, to, errLostFence)
	})
}

// persist repeats a change in MySQL while MySQL is away, until ctx ends: what is in
// hand is worth more than the wait, and the outage is nobody's failure.
func (w *Worker) persist(ctx context.Context, change func(context.Context) error) error {
	for {
		err := change(ctx)
		if !errors.Is(err, jobstore.ErrUnavailable) {
			return err
		}
		w.outage.trip(err)
		if !pause(ctx, w.cfg.OutageProbe) {
			return fmt.Errorf("%w: %w", context.Cause(ctx), err)
		}
	}
}
