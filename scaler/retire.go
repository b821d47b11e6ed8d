package scaler

import (
	"slices"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
)

// The steps by which an instance leaves the fleet, each taken when the one before is
// seen done:
//
//	record     its row is written, and it counts no more
//	drain      its workers pull nothing, its front door closes, and at the same time
//	           the balancer sends it nobody new
//	wait       until what is in hand is finished and the balancer's delay is over, or
//	           the deadline has come
//	end        stop it, to be started again, or terminate it
//	forget     the row, once EC2 shows it stopped or no more
//
// Until its end it can be recalled, unless its retirement is final.

// chore is what is to be done next for an instance that is retiring.
type chore struct {
	drain      []string // workers to be told
	deregister bool
	end        bool
	forget     bool
}

// nextChore says what is next.
func nextChore(m member, now time.Time, deadline time.Duration) chore {
	switch {
	case m.State == fleet.StateStopped && m.retirement.Final: // it was stopped before, and is not to be kept
		return chore{end: true}
	case !m.Up():
		return chore{forget: true}
	}
	if now.Sub(m.retirement.BegunAt) >= deadline {
		return chore{deregister: registered(m.Target), end: true}
	}
	var c chore
	for _, w := range m.workers {
		if !w.Draining {
			c.drain = append(c.drain, w.ID)
		}
	}
	c.deregister = registered(m.Target)
	c.end = !c.deregister && left(m.Target) && !slices.ContainsFunc(m.workers, func(w jobqueue.Worker) bool { return !w.Draining || w.Busy > 0 })
	return c
}

// registered says whether the balancer must be told to send nobody new.
func registered(t fleet.Target) bool {
	return slices.Contains([]fleet.TargetState{
		fleet.TargetInitial, fleet.TargetHealthy, fleet.TargetUnhealthy, fleet.TargetUnused, fleet.TargetUnavailable,
	}, t.State)
}

// left says whether nobody is sent any more, and those who were have their answer.
func left(t fleet.Target) bool { return t.State == fleet.TargetNone }
