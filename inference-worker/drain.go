package inferenceworker

import (
	"context"

	"maskfleet/pkg/instance"
	"maskfleet/pkg/jobqueue"
)

// drained is why nothing is taken any more, and who asked for that.
type drained struct {
	drain   jobqueue.Drain // empty: nobody did
	by, why string
}

// shut closes the gate; the first reason stands. It says whether it was open.
func (w *Worker) shut(d drained) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.gate.shut() {
		return false
	}
	w.drained = d
	w.announceNow()
	return true
}

// reopen opens the gate again, and says whether it was closed.
func (w *Worker) reopen() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.gate.open() {
		return false
	}
	w.drained = drained{}
	w.announceNow()
	return true
}

// why is why nothing is taken any more; empty: something is. The caller holds mu.
func (w *Worker) why() jobqueue.Drain {
	if w.drained.drain == "" && w.stopping {
		return jobqueue.DrainStopping
	}
	return w.drained.drain
}

// heedNotice drains because the machine will be taken away. A person may still resume:
// what is lost with the machine runs elsewhere.
func (w *Worker) heedNotice(ctx context.Context, n instance.Notice) {
	notice := jobqueue.SpotNotice{Action: n.Action, At: n.Time}
	w.mu.Lock()
	w.notice = &notice
	w.mu.Unlock()
	w.log.WarnContext(ctx, "spot notice: the machine will be taken away", "action", n.Action, "at", n.Time)
	w.queue.AnnounceFleet(ctx, jobqueue.EventSpotNotice, w.machine.ID, spotNoticeTold{Worker: w.cfg.ID, Instance: w.machine.ID, SpotNotice: notice})
	w.shut(drained{drain: jobqueue.DrainSpot})
	w.announceNow()
}

// spotNoticeTold is the event of a spot notice.
type spotNoticeTold struct {
	Worker   string `json:"worker"`
	Instance string `json:"instance"`
	jobqueue.SpotNotice
}
