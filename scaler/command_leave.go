package scaler

import (
	"context"
	"errors"
	"net/http"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
)

// longCommand is for those that call AWS.
const longCommand = 30 * time.Second

type leaveRequest struct {
	Instance string `json:"instance"`
	Why      string `json:"why,omitempty"`
}

// Concerns is the instance.
func (q leaveRequest) Concerns() string { return q.Instance }

// leaveAnswer is what becomes of one instance, and of the fleet without it.
type leaveAnswer struct {
	Instance string `json:"instance"`
	Was      role   `json:"was"`               // ready, starting, draining, failed or stopped
	InHand   int    `json:"in_hand"`           // photos
	Launch   int    `json:"launch"`            // in its place, or started, or recalled
	Already  bool   `json:"already,omitempty"` // it was leaving for good before
	Notes    string `json:"notes,omitempty"`
}

func (l *leader) leaveCommands() []command.Command {
	id := "i-0a1b2c3d4e5f60718"
	return []command.Command{
		command.Change("drain", "Has an instance finish what it has in hand and go for good; another takes its place if one is needed.",
			leaveRequest{Instance: id, Why: "its disk is full"}, leaveAnswer{Instance: id, Was: ready, InHand: 1, Launch: 1}, l.drain),
		command.Change("destroy", "Ends an instance at once; others take what it had in hand, at the latest when its leases are over.",
			leaveRequest{Instance: id, Why: "it hangs"}, leaveAnswer{Instance: id, Was: ready, InHand: 1, Launch: 1}, l.destroy).Within(longCommand),
	}
}

// drain is final: a person's word about this one instance is not to be undone because
// the policy wants one more, and what a person sends away is not kept stopped.
func (l *leader) drain(ctx context.Context, call command.Call, q leaveRequest) (leaveAnswer, error) {
	m, answer, err := l.leaver(ctx, q)
	if err != nil {
		return answer, err
	}
	if m.role == resting {
		return answer, problem.New(http.StatusConflict, problem.CodeConflict, "That instance is stopped and has nothing in hand. To be rid of it, destroy it.")
	}
	answer.Already = m.retirement != nil && m.retirement.Final
	if call.DryRun {
		return answer, nil
	}
	return answer, l.hands.retire(ctx, m, true, call.By.Name, reason(q.Why))
}

// destroy takes the same way as everybody who leaves, so that the next leader finishes
// it, and does the last steps at once.
func (l *leader) destroy(ctx context.Context, call command.Call, q leaveRequest) (leaveAnswer, error) {
	m, answer, err := l.leaver(ctx, q)
	if err != nil {
		return answer, err
	}
	answer.Already = m.retirement != nil && m.retirement.Final
	if call.DryRun {
		return answer, nil
	}
	why := reason(q.Why)
	if err := l.hands.retire(ctx, m, true, call.By.Name, why); err != nil {
		return answer, err
	}
	// The balancer first, so that nobody is sent to an instance that is ending. If it
	// cannot be told, its health checks find out.
	var left error
	if l.cfg.Fleet.TargetGroup != "" && registered(m.Target) {
		left = l.hands.fleet.Deregister(ctx, l.lease.current(), m.ID)
	}
	_, err = l.hands.fleet.Terminate(ctx, l.lease.current(), m.ID)
	l.hands.note()
	if err != nil {
		return answer, notEnded(errors.Join(left, err))
	}
	if left != nil {
		answer.Notes = "the balancer could not be told, and finds out by its health checks"
		l.tel.Log.WarnContext(ctx, "instance not deregistered", "instance_id", m.ID, "err", left)
	}
	l.doors.Queue.AnnounceFleet(ctx, jobqueue.EventEnded, m.ID, fleetEvent{At: time.Now().UTC(), By: call.By.Name, Why: why})
	return answer, nil
}

// leaver finds the instance that a request names, and says what happens without it.
func (l *leader) leaver(ctx context.Context, q leaveRequest) (member, leaveAnswer, error) {
	if q.Instance == "" {
		return member{}, leaveAnswer{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "Say which instance.").WithField("instance", "is missing")
	}
	g := l.glance()
	if !g.known || !l.hands.remembers(ctx) {
		return member{}, leaveAnswer{}, problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
			"The instances are not known at the moment. Ask again in a few seconds.")
	}
	m, there := g.census.find(q.Instance)
	if !there {
		return member{}, leaveAnswer{}, problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such instance in the fleet.").
			WithField("instance", "is not known")
	}
	if !l.lease.leading() {
		return member{}, leaveAnswer{}, deposed()
	}
	if r, retiring := l.hands.retiring()[m.ID]; retiring { // also since the last tick
		m.retirement = &r
	}
	answer := leaveAnswer{Instance: m.ID, Was: m.role, InHand: m.busy()}
	if m.counts() && g.last.Acts() {
		answer.Launch = max(0, min(1, g.last.Target-g.census.size()+1))
	}
	return m, answer, nil
}

// notEnded says why AWS did not end an instance, and that this is not the end of it.
func notEnded(err error) *problem.Problem {
	why := "it cannot be asked at the moment"
	switch {
	case errors.Is(err, fleet.ErrProtected):
		why = "somebody has protected the instance from being ended"
	case errors.Is(err, fleet.ErrDenied), errors.Is(err, fleet.ErrExpiredCredentials):
		why = "it refuses the scaler's credentials"
	case errors.Is(err, fleet.ErrLease):
		why = "too little is left of the scaler's lease"
	case errors.Is(err, fleet.ErrThrottled):
		why = "it asks for less haste"
	}
	return problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
		"EC2 did not end it: "+why+". It is noted as leaving for good: the scaler goes on with that.").WithCause(err)
}
