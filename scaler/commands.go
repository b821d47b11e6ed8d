package scaler

import (
	"context"
	"slices"
	"time"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/scaler/decide"
)

// area is where the scaler's commands stand on the broker: maskfleet.scaler.
const area = "scaler"

// exampleMoment is for the examples of `nats micro info`.
func exampleMoment() time.Time { return time.Date(2026, time.March, 1, 12, 30, 0, 0, time.UTC) }

// offerCommands offers what only the leader may answer, until withdraw.
func (l *leader) offerCommands(ctx context.Context) (withdraw func()) {
	withdraw, err := l.doors.Answers.Offer(command.Service{
		Name: "maskfleet-scaler", Does: "Sizes the fleet: this one holds the lease.", Area: area,
		Metadata: map[string]string{"scaler": l.lease.holder},
		Stats:    func() any { return l.status() },
	}, l.commands()...)
	if err != nil {
		l.tel.Log.ErrorContext(ctx, "commands not offered", "err", err)
		return func() {}
	}
	return withdraw
}

// commands is everything that the leader can be asked.
func (l *leader) commands() []command.Command {
	return slices.Concat(l.sizeCommands(), l.leaveCommands(), l.instanceCommands(), l.historyCommands(), l.policyCommands(), l.decisionCommands(), l.replayCommands(), []command.Command{
		command.Read("status", "Shows the fleet, the last decision and why.", struct{}{}, exampleStatus(),
			func(context.Context, struct{}) (status, error) { return l.status(), nil }),
	})
}

// status is the scaler at a glance.
type status struct {
	Leading  bool             `json:"leading"`
	Scaler   string           `json:"scaler"`
	Epoch    uint64           `json:"epoch"`
	Fleet    fleetCounts      `json:"fleet"`
	Decision *decide.Decision `json:"decision,omitempty"`
	Policy   *decide.Policy   `json:"policy,omitempty"`
	young                     // why the fleet is larger than decided
	Trouble  string           `json:"trouble,omitempty"` // why less was done than decided
	// PolicyRefusal is why the document that was put last is not followed.
	PolicyRefusal string   `json:"policy_refusal,omitempty"`
	Readings      []sensed `json:"readings"`
}

type fleetCounts struct {
	Ready    int `json:"ready"`
	Starting int `json:"starting"`
	Draining int `json:"draining"`
	Failed   int `json:"failed"`
	Stopped  int `json:"stopped"`
}

func exampleStatus() status {
	age := 0.7
	return status{
		Readings: []sensed{{Reading: "backlog", AgeSeconds: &age}},
		Leading:  true, Scaler: "scaler-0199d3a2", Epoch: 1772368200123, Fleet: fleetCounts{Ready: 3, Starting: 1},
		Decision: &decide.Decision{At: exampleMoment(), Policy: decide.TargetWait, Version: 3, Size: 4, Target: 4, Reason: "4, because 12 photos a second keep 3.1 slots busy"},
	}
}

func (l *leader) status() status {
	lease := l.lease.current()
	l.mu.Lock()
	defer l.mu.Unlock()
	s := status{
		Leading: l.lease.leading(), Scaler: l.lease.holder, Epoch: lease.Epoch, Fleet: countsOf(l.seen),
		PolicyRefusal: l.refusal, Readings: l.senses.readings(time.Now()),
	}
	if !l.latest.At.IsZero() {
		d, p := l.latest, l.inForce
		s.Decision, s.Policy = &d, &p
		if l.known && l.follows && d.Acts() {
			s.young = tooYoung(l.seen, l.seen.size()-d.Target, time.Now(), l.cfg.leastAge(d))
		}
	}
	if err := l.hands.lastTrouble(); err != nil {
		s.Trouble = err.Error()
	}
	return s
}

func countsOf(c census) fleetCounts {
	return fleetCounts{c.count(ready), c.count(starting), c.count(draining), c.count(failed), c.count(resting)}
}
