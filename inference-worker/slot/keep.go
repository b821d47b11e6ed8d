package slot

import (
	"context"
	"time"
)

const (
	firstDelay   = 100 * time.Millisecond
	longestDelay = 5 * time.Second
)

// keep keeps one slot alive until ctx ends and the slot is not taken. A slot that
// died over a photo is replaced at once, while whoever holds its token still sorts
// out what became of the photo; one that dies without work, after a delay.
func (p *Pool) keep(ctx context.Context) {
	var taken <-chan struct{} // closed when the dead slot's token is released; nil: none is out
	delay := firstDelay
	for ctx.Err() == nil {
		fresh, err := startProcess(ctx, p.cfg, p.log)
		if err != nil && ctx.Err() == nil {
			p.log.ErrorContext(ctx, "slot did not start", "err", err, "retry_in", delay)
			p.metrics.deaths.WithLabelValues(diedStarting).Inc()
			pause(ctx, delay)
			delay = min(2*delay, longestDelay)
		}
		if err != nil {
			continue
		}
		p.welcome(fresh)
		awaitRelease(taken)
		var used bool
		used, taken = p.offer(ctx, fresh)
		p.metrics.alive.Dec()
		if used {
			delay = firstDelay
		} else {
			pause(ctx, delay)
			delay = min(2*delay, longestDelay)
		}
	}
	awaitRelease(taken)
}

func (p *Pool) welcome(fresh *process) {
	p.mu.Lock()
	p.model = fresh.model
	p.mu.Unlock()
	p.metrics.alive.Inc()
	p.metrics.starts.Inc()
	p.log.Debug("slot started", "pid", fresh.pid(), "model", fresh.model.Name, "model_version", fresh.model.Version)
}

// offer hands the process out again and again, until it has died, grown too large
// or ctx has ended; then it is gone. It says whether it was ever used, and gives
// the release of its token if that is still out.
func (p *Pool) offer(ctx context.Context, proc *process) (used bool, taken <-chan struct{}) {
	defer proc.stop()
	for ctx.Err() == nil && !proc.gone() {
		slot := &Slot{pool: p, process: proc, released: make(chan struct{})}
		select {
		case <-ctx.Done():
			return used, nil
		case <-proc.ended:
			p.log.WarnContext(ctx, "slot died while idle", "pid", proc.pid(), "err", proc.death())
			p.metrics.deaths.WithLabelValues(diedIdle).Inc()
			return used, nil
		case p.tokens <- slot:
		}
		used = true
		select {
		case <-proc.ended:
			p.log.WarnContext(ctx, "slot died at work", "pid", proc.pid(), "err", proc.death())
			return used, slot.released
		case <-slot.released:
		}
		if p.outgrown(ctx, proc) {
			return used, nil
		}
	}
	return used, nil
}

// outgrown says whether the process keeps so much memory after a photo that a
// fresh one is cheaper.
func (p *Pool) outgrown(ctx context.Context, proc *process) bool {
	resident, err := residentBytes(proc.pid())
	if err != nil || resident <= p.cfg.ReplaceAboveBytes {
		return false // unreadable: it has died, which the next look at it shows
	}
	p.log.InfoContext(ctx, "slot replaced after a large photo", "pid", proc.pid(), "resident_bytes", resident)
	p.metrics.replacements.Inc()
	return true
}

func awaitRelease(taken <-chan struct{}) {
	if taken != nil {
		<-taken
	}
}

// pause waits, or less if ctx ends first.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
