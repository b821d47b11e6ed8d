package inferenceworker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maskfleet/inference-worker/slot"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/telemetry"
)

// task is one delivery on its way through the steps.
type task struct {
	delivery      *jobqueue.Delivery
	stopExtending func()
	slot          *slot.Slot

	photo    job.Photo // as claimed; its Row.Fence is ours
	claimed  time.Time // zero until the claim
	doubtful bool      // MySQL did not answer the last try to claim
	original []byte
	output   slot.Output
	result   job.Result
}

// settling gives the delivery for its last word. It is not extended any more: an
// extension after a delayed nak would begin the delay anew.
func (t *task) settling() *jobqueue.Delivery {
	t.stopExtending()
	return t.delivery
}

// step is one thing done for a photo. An error ends the job; settle.go says how.
type step struct {
	name string
	run  func(context.Context, *task) error
}

// steps is the path of a photo through the worker.
func (w *Worker) steps() []step {
	return []step{
		{"claim", w.claim},
		{"fetch", w.fetchOriginal},
		{"analyze", w.analyze},
		{"store", w.storeObjects},
		{"finish", w.finish},
		{"publish result", w.publishResult},
	}
}

// handle takes a delivery through the steps and settles it.
func (w *Worker) handle(work context.Context, d *jobqueue.Delivery, s *slot.Slot) {
	ctx := telemetry.WithTraceParent(work, d.Message.TraceParent)
	ctx, span := w.tracer.Start(ctx, "job")
	t := &task{delivery: d, slot: s, stopExtending: w.keepAlive(ctx, d)}
	defer t.stopExtending() // a job may end without a word
	err := d.Err
	if err == nil {
		err = w.process(ctx, t)
	}
	w.settle(ctx, t, err)
	telemetry.End(span, err)
}

func (w *Worker) process(ctx context.Context, t *task) error {
	for _, step := range w.steps() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		began := time.Now()
		stepCtx, span := w.tracer.Start(ctx, step.name)
		err := step.run(stepCtx, t)
		telemetry.End(span, err)
		w.metrics.steps.WithLabelValues(step.name).Observe(time.Since(began).Seconds())
		if err != nil {
			if ctx.Err() != nil { // interrupted: whatever the step made of it is no failure
				return fmt.Errorf("%s: %w", step.name, context.Cause(ctx))
			}
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}

// claim takes the fence. MySQL may vanish between its commit and its answer: then
// the row says whether the claim was ours.
func (w *Worker) claim(ctx context.Context, t *task) error {
	id, publication := t.delivery.Message.PhotoID, t.delivery.Message.Publication
	return w.persist(ctx, func(ctx context.Context) error {
		if t.doubtful {
			if err := w.recall(ctx, t); err != nil || !t.claimed.IsZero() {
				return err
			}
		}
		photo, refusal, wait, err := w.store.Claim(ctx, id, publication, w.cfg.ID, w.cfg.lease())
		t.doubtful = err != nil
		switch {
		case err != nil:
			return err
		case refusal != job.RefusedNone:
			return &refusedError{refusal: refusal, wait: wait, photo: photo}
		}
		w.claimed(t, photo)
		w.tell(ctx, t.photo, jobqueue.StageClaimed, nil)
		return nil
	})
}

// recall looks whether a doubtful claim stands in the row, and takes it up if so.
// Only one job of a worker can be about a photo, so a claim in its name is ours.
func (w *Worker) recall(ctx context.Context, t *task) error {
	p, err := w.store.Find(ctx, t.delivery.Message.PhotoID)
	if err != nil && !errors.Is(err, jobstore.ErrNotFound) {
		return err
	}
	t.doubtful = false
	if p.Row.State == job.StateProcessing && p.WorkerID == w.cfg.ID && p.Row.Publication == t.delivery.Message.Publication {
		w.claimed(t, p)
	}
	return nil
}

// deadline is the end of the item's time, which fetch, slot and store share: the
// lease is made to outlast it.
func (w *Worker) deadline(t *task) time.Time { return t.claimed.Add(w.cfg.Slots.ItemTimeout) }

// analyze has the slot decode, detect, draw and encode.
func (w *Worker) analyze(ctx context.Context, t *task) error {
	began := time.Now()
	left := time.Until(w.deadline(t))
	if left <= 0 {
		return job.Fail(job.CodeInferenceTimeout, errors.New("no time left after the fetch"))
	}
	output, err := t.slot.Analyze(ctx, slot.Request{Data: t.original, Attempt: t.photo.Row.Attempts, Timeout: left})
	if err != nil {
		return err
	}
	t.original = nil // up to 10 MB that nobody needs any more
	t.output = output
	t.result.Timing.Inference = time.Since(began)
	t.result.Faces = output.Faces
	t.result.Width, t.result.Height = output.Width, output.Height
	t.result.Model = output.Model
	return nil
}

// storeObjects puts the pictures under our fence, so that a worker which lost it
// can only leave orphans, never overwrite.
func (w *Worker) storeObjects(ctx context.Context, t *task) error {
	const contentType = "image/jpeg"
	ctx, cancel := context.WithDeadline(ctx, w.deadline(t))
	defer cancel()
	fence := t.photo.Row.Fence
	t.result.AnnotatedKey = imagestore.ResultKey(t.photo, fence, "annotated")
	t.result.ThumbnailKey = imagestore.ResultKey(t.photo, fence, "thumbnail")
	if err := w.images.Put(ctx, t.result.AnnotatedKey, contentType, t.output.AnnotatedJPEG); err != nil {
		return err
	}
	return w.images.Put(ctx, t.result.ThumbnailKey, contentType, t.output.ThumbnailJPEG)
}

// finish writes the result if the fence is still ours.
func (w *Worker) finish(ctx context.Context, t *task) error {
	t.result.Timing.Queued = t.photo.ClaimedAt.Sub(t.photo.CreatedAt)
	t.result.Timing.Total = t.result.Timing.Queued + time.Since(t.claimed)
	return w.change(ctx, t, job.StateSucceeded, func(ctx context.Context) (bool, error) {
		return w.store.Finish(ctx, t.photo.ID, t.photo.Row.Fence, t.result)
	})
}

// publishResult lets readers know. Redis may be away: they find the row as well.
func (w *Worker) publishResult(ctx context.Context, t *task) error {
	photo, err := w.store.Find(ctx, t.photo.ID)
	if err == nil {
		err = w.cache.PutResult(ctx, photo.OwnerID, photo)
	}
	if err != nil {
		w.log.DebugContext(ctx, "result not cached", "photo_id", t.photo.ID, "err", err)
	}
	w.notify(ctx, t.photo.ID)
	w.tell(ctx, t.photo, jobqueue.StageFinished, nil)
	return nil
}
