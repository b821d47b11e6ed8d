package inferenceworker

import (
	"context"
	"time"

	"maskfleet/inference-worker/slot"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// brokerPause is how long the worker leaves a broker alone that did not answer.
const brokerPause = 500 * time.Millisecond

// turns is the order in which the lanes are asked, over and over: of six photos
// taken while every lane waits, four are interactive. No lane ever starves.
//
// An interactive turn that found no interactive photo comes again: a batch that has
// all slots for itself uses up no turn but its own, and a person's photo that comes
// then is the next that a slot takes.
func turns() [][]job.Lane {
	interactive := []job.Lane{job.LaneInteractive, job.LaneBatch, job.LaneCanary}
	batch := []job.Lane{job.LaneBatch, job.LaneInteractive, job.LaneCanary}
	canary := []job.Lane{job.LaneCanary, job.LaneInteractive, job.LaneBatch}
	return [][]job.Lane{interactive, interactive, batch, interactive, interactive, canary}
}

// arrival is what an idle pull came back with.
type arrival struct {
	lane     job.Lane
	delivery *jobqueue.Delivery // nil: nothing came
	err      error
}

// puller takes photos for free slots. It asks for a photo only with a slot's token
// in hand: a photo that waits at a busy worker waits for nothing, and the broker's
// clock for it would be running.
type puller struct {
	w        *Worker
	arrivals chan arrival
	waiting  map[job.Lane]bool // lanes with an idle pull under way
	canary   canary
	turns    [][]job.Lane
	turn     int
}

// pull runs until ctx ends; jobs go on under work.
func (w *Worker) pull(ctx, work context.Context) {
	p := &puller{
		w:        w,
		arrivals: make(chan arrival),
		waiting:  map[job.Lane]bool{},
		canary:   canary{queue: w.queue, worker: w.cfg.ID},
		turns:    turns(),
	}
	for ctx.Err() == nil {
		if w.outage.isAway() {
			p.sitOut(ctx, work)
			continue
		}
		select {
		case <-ctx.Done():
		case a := <-p.arrivals:
			p.arrived(ctx, work, a, nil)
		case s := <-w.pool.Tokens():
			p.feed(ctx, work, s)
		}
	}
	p.settleIdlePulls(work)
}

// sitOut passes one probe of an outage; what idle pulls bring meanwhile goes back.
func (p *puller) sitOut(ctx, work context.Context) {
	probe := time.NewTimer(p.w.cfg.OutageProbe)
	defer probe.Stop()
	select {
	case <-ctx.Done():
	case a := <-p.arrivals:
		p.waiting[a.lane] = false
		if a.delivery != nil {
			p.w.nak(work, a.delivery, p.w.cfg.OutageProbe)
		}
	case <-probe.C:
		p.w.outage.check(ctx)
	}
}

// feed finds a photo for a free slot: by weight if any waits, else whatever comes.
func (p *puller) feed(ctx, work context.Context, s *slot.Slot) {
	d, err := p.next(ctx)
	if d != nil {
		p.w.start(work, d, s)
		return
	}
	if err != nil {
		s.Release()
		p.brokerTrouble(ctx, err)
		return
	}
	for _, lane := range job.Lanes() {
		if p.canary.open(ctx, lane) {
			p.startIdlePull(ctx, lane)
		}
	}
	select {
	case <-ctx.Done():
		s.Release()
	case a := <-p.arrivals:
		p.arrived(ctx, work, a, s)
	}
}

// next takes the first waiting photo in the order of this turn.
func (p *puller) next(ctx context.Context) (*jobqueue.Delivery, error) {
	order := p.turns[p.turn]
	for _, lane := range order {
		if !p.canary.open(ctx, lane) {
			continue
		}
		d, err := p.w.queue.FetchNow(ctx, lane)
		if d != nil && !p.mine(ctx, lane, d) {
			continue
		}
		if d != nil && (lane == order[0] || order[0] != job.LaneInteractive) {
			p.turn = (p.turn + 1) % len(p.turns)
		}
		if err != nil || d != nil {
			return d, err
		}
	}
	return nil, nil
}

// mine gives a photo of the canary lane back that is for another worker.
func (p *puller) mine(ctx context.Context, lane job.Lane, d *jobqueue.Delivery) bool {
	admitted, err := p.canary.admits(ctx, lane)
	switch {
	case err != nil: // whose it is will be known when the broker answers again
		p.w.nak(ctx, d, brokerPause)
	case !admitted:
		p.w.nak(ctx, d, 0)
	}
	return admitted && err == nil
}

func (p *puller) startIdlePull(ctx context.Context, lane job.Lane) {
	if p.waiting[lane] {
		return
	}
	p.waiting[lane] = true
	go func() { // ends with its pull, after IdleWait or with ctx, once the arrival is taken
		d, err := p.w.queue.FetchWait(ctx, lane, p.w.cfg.IdleWait)
		p.arrivals <- arrival{lane: lane, delivery: d, err: err}
	}()
}

// arrived takes what an idle pull brought. Without a slot in hand it looks for a
// free one; if there is none the photo goes back at once, for another worker.
func (p *puller) arrived(ctx, work context.Context, a arrival, s *slot.Slot) {
	p.waiting[a.lane] = false
	if a.delivery == nil {
		if s != nil {
			s.Release()
		}
		if a.err != nil {
			p.brokerTrouble(ctx, a.err)
		}
		return
	}
	if !p.mine(ctx, a.lane, a.delivery) {
		if s != nil {
			s.Release()
		}
		return
	}
	if s == nil {
		select {
		case s = <-p.w.pool.Tokens():
		default:
			p.w.nak(work, a.delivery, 0)
			return
		}
	}
	p.w.start(work, a.delivery, s)
}

// settleIdlePulls puts back what arrives after the worker stopped pulling.
func (p *puller) settleIdlePulls(work context.Context) {
	for _, waiting := range p.waiting {
		if !waiting {
			continue
		}
		if a := <-p.arrivals; a.delivery != nil {
			p.w.nak(work, a.delivery, 0)
		}
	}
}

// brokerTrouble waits a little, and makes streams and consumers anew if the broker
// came back without them.
func (p *puller) brokerTrouble(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	p.w.log.WarnContext(ctx, "broker does not answer", "err", err)
	p.w.metrics.brokerErrors.Inc()
	if isNoStream(err) {
		if err := p.w.queue.Restore(ctx); err != nil {
			p.w.log.WarnContext(ctx, "streams could not be made", "err", err)
		}
	}
	pause(ctx, brokerPause)
}
