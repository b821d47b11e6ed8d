package decide

import (
	"fmt"
	"strings"
)

// Decide says what size the fleet should have, and gives the history that the next
// decision needs. The history it was given stays as it was.
//
// A decision that is Blind and keeps the size is not to be acted upon at all: the
// number of instances itself may be wrong.
func Decide(o Observation, p Policy, h History) (Decision, History) {
	next := h.clone()
	d := next.Advance(o, p)
	return d, next
}

// Advance is Decide for whoever replays days: it changes the history in place, which
// saves copying it.
func (h *History) Advance(o Observation, p Policy) Decision {
	s := h.m.look(o, p)
	d := Decision{At: o.At, Policy: p.Kind, Version: p.Version, Size: o.Fleet.Size(), Inputs: inputs(o, p)}
	if s.fleetGone {
		d.Size = h.m.Size
	}
	d.Override = p.override(o.At)
	b := p.bounds(o, d.Override)
	if len(s.blind) > 0 {
		d.Blind, d.Wanted, d.Clamped, d.Target = s.blind, d.Size, d.Size, d.Size
		d.Reason = fmt.Sprintf("%d kept, flying blind: %s", d.Size, strings.Join(s.blind, "; "))
	} else {
		h.m.choose(&d, o, p, b, s)
	}
	if !s.fleetGone {
		d.overrule()
	}
	return d
}

// choose follows the policy.
func (m *memory) choose(d *Decision, o Observation, p Policy, b bounds, s sight) {
	if p.Kind != TargetWait {
		m.Wait.Size = 0 // what another policy decides is nothing that it holds
	}
	switch p.Kind {
	case TargetWait:
		d.Wants = m.Wait.targetWait(o, p, b, s.news, &d.Inputs)
	case CPURatio:
		d.Wants = []Want{m.Ratio.cpuRatio(o, p.Ratio, s.news.now)}
	case Manual:
		d.Wants = []Want{{WantManual, p.Manual.Size, "that is what the policy says"}}
	}
	first := d.Wants[0]
	d.Decided, d.Wanted = first.Name, first.Instances
	d.Clamped = max(b.min, min(b.max, d.Wanted))
	d.Target = d.Clamped
	why := first.Why
	if d.Clamped != d.Wanted {
		why = fmt.Sprintf("%s; that asks for %d, %s", why, d.Wanted, b.words(d.Wanted))
	}
	if d.Target < d.Size {
		switch {
		case len(s.dim) > 0:
			d.Blind, d.Target = s.dim, d.Size
			why = fmt.Sprintf("not shrinking to %d while %s", d.Clamped, strings.Join(s.dim, " and "))
		case p.Kind == TargetWait && len(o.Fleet.awaited(p.bootSeconds(o))) > 0:
			d.Target = d.Size
			why = fmt.Sprintf("%d would do, but a boot that has begun is paid for: %s", d.Clamped, why)
		}
	}
	d.Reason = fmt.Sprintf("%d, because %s", d.Target, why)
}

// overrule lets a person's word stand for the policy's.
func (d *Decision) overrule() {
	if d.Override == nil {
		return
	}
	switch d.Override.Kind {
	case Pin:
		d.Target = d.Override.Size
	case Freeze:
		d.Target = d.Size
	case Bounds:
		d.Reason += "; " + d.Override.words()
		return
	}
	d.Reason = fmt.Sprintf("%d, because of a %s; the policy says: %s", d.Target, d.Override.words(), d.Reason)
}

// bounds are between which sizes a policy may choose, and why.
type bounds struct {
	min, max       int
	minWhy, maxWhy string
}

func (p Policy) bounds(o Observation, over *Override) bounds {
	b := bounds{p.Min, p.Max, "the policy's minimum", "the policy's maximum"}
	if over != nil && over.Kind == Bounds {
		b = bounds{over.Min, over.Max, "the minimum of " + over.Who, "the maximum of " + over.Who}
	}
	if s, found := p.scheduled(o.At, durationOf(p.bootSeconds(o))); found && s.Min > b.min {
		b.min, b.minWhy = min(s.Min, b.max), fmt.Sprintf("the minimum of schedule %q", s.Name)
	}
	return b
}

func (b bounds) words(wanted int) string {
	if wanted < b.min {
		return fmt.Sprintf("%s is %d", b.minWhy, b.min)
	}
	return fmt.Sprintf("%s is %d", b.maxWhy, b.max)
}

func inputs(o Observation, p Policy) Inputs {
	in := Inputs{Ready: o.Fleet.Ready, Starting: len(o.Fleet.Starting), BootSeconds: p.bootSeconds(o)}
	oldest := o.Fleet.Age
	note := func(r Reading) *float64 {
		if !usable(r) {
			return nil
		}
		oldest = max(oldest, r.Age)
		value := r.Value
		return &value
	}
	note(o.Accepted)
	in.Waiting, in.InFlight = note(o.Waiting), note(o.InFlight)
	in.CPU = note(o.CPU)
	in.OldestSeconds = oldest.Seconds()
	return in
}
