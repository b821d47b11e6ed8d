package inferenceworker

import (
	"context"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// keepAlive extends the delivery until the returned function is called, but no
// longer than a lease: a job that hangs must not be kept for ever. Time during which
// a store is away does not count, because nobody else could do better then.
func (w *Worker) keepAlive(ctx context.Context, d *jobqueue.Delivery) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	until := time.Now().Add(w.cfg.lease())
	done := make(chan struct{})
	go func() {
		defer close(done)
		for pause(ctx, w.cfg.Queue.AckWait/3) && (time.Now().Before(until) || w.outage.isAway()) {
			w.extend(ctx, d)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

func (w *Worker) extend(ctx context.Context, d *jobqueue.Delivery) {
	if err := d.Extend(); err != nil {
		w.log.DebugContext(ctx, "delivery not extended", "photo_id", d.Message.PhotoID, "err", err)
	}
}

// ack, and nak below, may fail: the message then comes again and its claim is
// refused, or it is worked on again, which changes nothing.
func (w *Worker) ack(ctx context.Context, d *jobqueue.Delivery) {
	ctx, cancel := context.WithTimeout(ctx, w.cfg.Queue.AckWait)
	defer cancel()
	if err := d.Ack(ctx); err != nil {
		w.log.WarnContext(ctx, "message not acknowledged", "photo_id", d.Message.PhotoID, "err", err)
	}
}

func (w *Worker) nak(ctx context.Context, d *jobqueue.Delivery, delay time.Duration) {
	if err := d.Nak(delay); err != nil {
		w.log.WarnContext(ctx, "message not put back", "photo_id", d.Message.PhotoID, "err", err)
	}
}

// notify wakes who waits for the photo.
func (w *Worker) notify(ctx context.Context, id job.ID) {
	if err := w.cache.Notify(ctx, id); err != nil {
		w.log.DebugContext(ctx, "nobody notified", "photo_id", id, "err", err)
	}
}

// tell writes a line of the photo's timeline, with the failure that led to the stage
// if one did. Timelines are not the truth, so nothing waits for it.
func (w *Worker) tell(ctx context.Context, p job.Photo, stage jobqueue.Stage, f *job.Failure) {
	var code job.Code
	if f != nil {
		code = f.Code
	}
	w.queue.Announce(ctx, p.ID, stage, struct {
		WorkerID string   `json:"worker_id"`
		Attempt  int      `json:"attempt"`
		Fence    int      `json:"fence"`
		Code     job.Code `json:"code,omitempty"`
	}{w.cfg.ID, p.Row.Attempts, p.Row.Fence, code})
}
