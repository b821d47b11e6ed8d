package inferenceworker

import (
	"context"
	"os"
	"time"

	"maskfleet/pkg/build"
	"maskfleet/pkg/jobqueue"
)

// announce says every Heartbeat that the worker is alive and every ReportInterval what
// it did, and takes the entry back at the end. A worker that is killed vanishes by the
// bucket's TTL.
func (w *Worker) announce(ctx context.Context) {
	host, err := os.Hostname()
	if err != nil {
		w.log.WarnContext(ctx, "host name unknown", "err", err)
	}
	var reported time.Time
	cpu, cpuOfReport := newCPUMeter(w.cfg.Instance.Stat), newCPUMeter(w.cfg.Instance.Stat)
	for beats := true; beats; beats = w.awaitHeartbeat(ctx) {
		r := w.reading(cpu.utilisation())
		if err := w.queue.PutWorker(ctx, w.presence(host, r)); err != nil && ctx.Err() == nil {
			w.log.DebugContext(ctx, "heartbeat not sent", "err", err)
		}
		if time.Since(reported) < w.cfg.ReportInterval-w.cfg.Heartbeat/2 { // the nearest beat
			continue
		}
		reported, r.CPU = time.Now(), cpuOfReport.utilisation()
		if err := w.queue.ReportWorker(ctx, r); err != nil && ctx.Err() == nil {
			w.log.DebugContext(ctx, "reading not sent", "err", err)
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	if err := w.queue.RemoveWorker(ctx, w.cfg.ID); err != nil {
		w.log.DebugContext(ctx, "presence not taken back", "err", err)
	}
}

func (w *Worker) presence(host string, r jobqueue.WorkerReading) jobqueue.Worker {
	w.mu.Lock()
	defer w.mu.Unlock()
	return jobqueue.Worker{
		ID:         w.cfg.ID,
		Instance:   w.machine.ID,
		Zone:       w.machine.Zone,
		Host:       host,
		Version:    build.Revision(),
		Roles:      w.cfg.Instance.RoleNames(),
		Model:      w.pool.Model(),
		Slots:      r.Slots,
		Busy:       r.Busy,
		Draining:   w.why() != "",
		Drain:      w.why(),
		DrainBy:    w.drained.by,
		DrainWhy:   w.drained.why,
		StartedAt:  w.startedAt,
		CPU:        r.CPU,
		SaidAt:     time.Now().UTC(),
		SpotNotice: w.notice,
	}
}

func (w *Worker) reading(cpu float64) jobqueue.WorkerReading {
	w.mu.Lock()
	defer w.mu.Unlock()
	busy := w.done.busy
	for _, h := range w.inHand {
		busy += time.Since(h.since)
	}
	return jobqueue.WorkerReading{
		Worker:      w.cfg.ID,
		Instance:    w.machine.ID,
		StartedAt:   w.startedAt,
		CPU:         cpu,
		Slots:       w.pool.Size(),
		Busy:        len(w.inHand),
		Jobs:        w.done.jobs,
		BusySeconds: busy.Seconds(),
		Draining:    w.why() != "",
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
