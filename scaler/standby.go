package scaler

import (
	"context"
	"time"

	"maskfleet/pkg/jobqueue/command"
)

// standing is a scaler that does not lead, at a glance.
type standing struct {
	Leading  bool      `json:"leading"` // false
	Scaler   string    `json:"scaler"`
	Since    time.Time `json:"since"` // it runs
	Readings []sensed  `json:"readings"`
}

// standBy shows that this scaler is there, and what it can see, until withdraw: under a
// name of its own, so that a list of services tells who leads, and with its own subject,
// because only the leader answers for the fleet.
func (s *Service) standBy(ctx context.Context) (withdraw func()) {
	show := func() standing {
		return standing{Scaler: s.lease.holder, Since: s.senses.began, Readings: s.senses.readings(time.Now())}
	}
	example := standing{Scaler: "scaler-0199d3a2", Since: exampleMoment(), Readings: exampleStatus().Readings}
	withdraw, err := s.doors.Answers.Offer(command.Service{
		Name: "maskfleet-scaler-standby", Does: "Stands by: another scaler holds the lease.", Area: area, Member: s.lease.holder,
		Metadata: map[string]string{"scaler": s.lease.holder},
		Stats:    func() any { return show() },
	}, command.Read("status", "Shows what this scaler can see.", struct{}{}, example,
		func(context.Context, struct{}) (standing, error) { return show(), nil }))
	if err != nil {
		s.tel.Log.ErrorContext(ctx, "not seen to stand by", "err", err)
		return func() {}
	}
	return withdraw
}

// sensed is one of the readings, and how it goes.
type sensed struct {
	Reading    string   `json:"reading"`
	AgeSeconds *float64 `json:"age_seconds,omitempty"` // none: it never succeeded
	Trouble    string   `json:"trouble,omitempty"`     // of the last try
}

// readings says how each of them goes.
func (s *senses) readings(now time.Time) []sensed {
	return []sensed{s.accepted.sensed(now), s.backlog.sensed(now), s.listing.sensed(now), s.work.sensed(now), s.cpu.sensed(now)}
}

func (g *gauge[V]) sensed(now time.Time) sensed {
	r := sensed{Reading: g.name}
	if _, at := g.last(); !at.IsZero() {
		age := now.Sub(at).Round(time.Millisecond).Seconds()
		r.AgeSeconds = &age
	}
	if err := g.trouble(); err != nil {
		r.Trouble = err.Error()
	}
	return r
}
