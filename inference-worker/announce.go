package inferenceworker

import (
	"context"
	"os"
	"runtime/debug"
	"time"

	"maskfleet/pkg/jobqueue"
)

// announce says every Heartbeat that the worker is alive, and takes the entry back
// at the end. A worker that is killed vanishes by the bucket's TTL.
func (w *Worker) announce(ctx context.Context) {
	host, err := os.Hostname()
	if err != nil {
		w.log.WarnContext(ctx, "host name unknown", "err", err)
	}
	cpu := newCPUMeter()
	for {
		busy, draining := w.load()
		err := w.queue.PutWorker(ctx, jobqueue.Worker{
			ID:        w.cfg.ID,
			Instance:  w.cfg.Instance,
			Host:      host,
			Version:   buildVersion(),
			Model:     w.pool.Model(),
			Slots:     w.pool.Size(),
			Busy:      busy,
			Draining:  draining,
			StartedAt: w.startedAt,
			CPU:       cpu.utilisation(),
		})
		if err != nil && ctx.Err() == nil {
			w.log.DebugContext(ctx, "heartbeat not sent", "err", err)
		}
		if !w.awaitHeartbeat(ctx) {
			break
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := w.queue.RemoveWorker(ctx, w.cfg.ID); err != nil {
		w.log.DebugContext(ctx, "presence not taken back", "err", err)
	}
}

// awaitHeartbeat gives false when ctx ended first.
func (w *Worker) awaitHeartbeat(ctx context.Context) bool {
	timer := time.NewTimer(w.cfg.Heartbeat)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	case <-w.nudged:
	}
	return true
}

// announceNow does not let others wait for the next heartbeat.
func (w *Worker) announceNow() {
	select {
	case w.nudged <- struct{}{}:
	default: // about to
	}
}

// buildVersion is the revision the program was built from, "development" outside a
// checkout.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "development"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "development"
}
