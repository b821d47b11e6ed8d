package scaler

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/scaler/decide"
)

const (
	usualTerm   = time.Hour            // of a size that a person pins, if nothing is said
	longestTerm = 366 * 24 * time.Hour // whoever means longer means until released
)

// term says how long a person's word stands: for how long, until when, or until it is
// released. Nothing said is usualTerm, because what has no end is forgotten.
type term struct {
	For           *command.Duration `json:"for,omitempty"`
	Until         time.Time         `json:"until,omitzero"`
	UntilReleased bool              `json:"until_released,omitzero"`
}

// end is when it is over; zero: when it is released.
func (t term) end(now time.Time) (time.Time, error) {
	said := 0
	for _, one := range []bool{t.For != nil, !t.Until.IsZero(), t.UntilReleased} {
		if one {
			said++
		}
	}
	until := t.Until
	switch {
	case said > 1:
		return time.Time{}, command.Invalid(`Say one of "for" how long, such as "30m", "until" when, or "until_released".`)
	case t.UntilReleased:
		return time.Time{}, nil
	case said == 0:
		until = now.Add(usualTerm)
	case t.For != nil:
		until = now.Add(time.Duration(*t.For))
	}
	if !until.After(now) {
		return time.Time{}, command.Invalid("It would be over already.")
	}
	if until.After(now.Add(longestTerm)) {
		return time.Time{}, command.Invalid(`That is more than a year: say "until_released" if it is to have no end.`)
	}
	return until.UTC().Truncate(time.Second), nil
}

type resizeRequest struct {
	Size *int   `json:"size"`
	Why  string `json:"why,omitempty"`
	term
}

type stepRequest struct {
	By  *int   `json:"by,omitempty"` // 1, unless said otherwise
	Why string `json:"why,omitempty"`
	term
}

type whyRequest struct {
	Why string `json:"why,omitempty"`
}

type pauseRequest struct {
	Why string `json:"why,omitempty"`
	term
}

// sizeAnswer is what becomes of the fleet.
type sizeAnswer struct {
	Was  int `json:"was"`  // instances there are, ready or starting
	Size int `json:"size"` // instances there will be
	forecast
	Override *decide.Override  `json:"override,omitempty"` // as it stands in the policy now
	Ended    []decide.Override `json:"ended,omitempty"`    // overrides that were in force until now
	Version  int               `json:"version"`            // of the policy
	Revision uint64            `json:"revision,omitempty"` // of the document; none of a dry run
	Notes    []string          `json:"notes,omitempty"`
}

func (l *leader) sizeCommands() []command.Command {
	six, one, until, hour := 6, 1, exampleMoment().Add(usualTerm), command.Duration(usualTerm)
	pin := decide.Override{Kind: decide.Pin, Size: six, Who: "ann", Why: "the open day", Until: until}
	none := pin
	none.Size, none.Until = 0, time.Time{}
	freeze := decide.Override{Kind: decide.Freeze, Who: "ann", Why: "a look at the balancer", Until: until}
	two := forecast{Launch: 2}
	return []command.Command{
		command.Change("resize", "Pins the fleet to a size for a while, also outside of the policy's bounds.",
			resizeRequest{Size: &six, Why: pin.Why, term: term{For: &hour}},
			sizeAnswer{Was: 4, Size: six, forecast: two, Override: &pin, Version: 13, Revision: 87}, l.resize),
		command.Change("grow", "Pins the fleet to so many instances more than there should be now.",
			stepRequest{By: &one, Why: pin.Why}, sizeAnswer{Was: 5, Size: six, forecast: forecast{Launch: 1}, Override: &pin, Version: 13, Revision: 87}, l.grow),
		command.Change("shrink", "Pins the fleet to so many instances fewer, but not below one; they finish what they have in hand.",
			stepRequest{By: &one, Why: pin.Why}, sizeAnswer{Was: 7, Size: six, forecast: forecast{Retire: []string{"i-0a1b2c3d4e5f60718"}}, Override: &pin, Version: 13, Revision: 87}, l.shrink),
		command.Change("terminate-all", "Pins the fleet to nobody until released; work in hand is finished, what waits goes on waiting.",
			whyRequest{Why: "the store moves"}, sizeAnswer{Was: 1, forecast: forecast{Retire: []string{"i-0a1b2c3d4e5f60718"}}, Override: &none, Version: 13, Revision: 87}, l.terminateAll),
		command.Change("pause", "Keeps the size there is for a while, whatever the policy says; instances that fail are not replaced.",
			pauseRequest{Why: freeze.Why, term: term{For: &hour}}, sizeAnswer{Was: 4, Size: 4, Override: &freeze, Version: 13, Revision: 87}, l.pause),
		command.Change("resume", "Ends pauses and pins: the policy decides again.",
			struct{}{}, sizeAnswer{Was: 6, Size: 4, forecast: forecast{Retire: []string{"i-0a1b2c3d4e5f60718"}, young: young{1, exampleMoment().Add(time.Minute)}}, Ended: []decide.Override{pin}, Version: 14, Revision: 88}, l.resume),
	}
}

func (l *leader) resize(ctx context.Context, call command.Call, q resizeRequest) (sizeAnswer, error) {
	if q.Size == nil {
		return sizeAnswer{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "Say how many instances.").WithField("size", "is missing")
	}
	if *q.Size < 0 || *q.Size > decide.MaxInstances {
		return sizeAnswer{}, command.InvalidField("size", fmt.Sprintf("is %d, want 0 to %d", *q.Size, decide.MaxInstances))
	}
	return l.pin(ctx, call, q.term, q.Why, func(*draft, glance) (int, error) { return *q.Size, nil })
}

func (l *leader) grow(ctx context.Context, call command.Call, q stepRequest) (sizeAnswer, error) {
	return l.step(ctx, call, q, func(from, by int) (int, error) { return from + by, nil })
}

// shrink stops at one, so that nobody closes the site by one step too many. A fleet that
// is to have nobody it leaves as it is: another pin could end sooner than that one.
func (l *leader) shrink(ctx context.Context, call command.Call, q stepRequest) (sizeAnswer, error) {
	return l.step(ctx, call, q, func(from, by int) (int, error) {
		if from == 0 {
			return 0, problem.New(http.StatusConflict, problem.CodeConflict, "The fleet is to have no instance already.")
		}
		return max(1, from-by), nil
	})
}

func (l *leader) step(ctx context.Context, call command.Call, q stepRequest, to func(from, by int) (int, error)) (sizeAnswer, error) {
	by := 1
	if q.By != nil {
		by = *q.By
	}
	if by < 1 {
		return sizeAnswer{}, command.InvalidField("by", "is not 1 or more")
	}
	return l.pin(ctx, call, q.term, q.Why, func(d *draft, g glance) (int, error) {
		if pin, pinned := d.find(time.Now(), decide.Pin); pinned {
			return to(pin.Size, by)
		}
		if g.last.At.IsZero() {
			return 0, problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
				"This scaler has just begun and does not know yet how many instances there should be. Ask again in a few seconds.")
		}
		return to(g.last.Target, by)
	})
}

func (l *leader) terminateAll(ctx context.Context, call command.Call, q whyRequest) (sizeAnswer, error) {
	return l.pin(ctx, call, term{UntilReleased: true}, q.Why, func(*draft, glance) (int, error) { return 0, nil })
}

// pin puts a size in the policy's place, and in that of an earlier pin.
func (l *leader) pin(ctx context.Context, call command.Call, t term, why string, size func(*draft, glance) (int, error)) (sizeAnswer, error) {
	now := time.Now()
	until, err := t.end(now)
	if err != nil {
		return sizeAnswer{}, err
	}
	d, err := l.draft(ctx)
	if err != nil {
		return sizeAnswer{}, err
	}
	g := l.glance()
	target, err := size(d, g)
	if err != nil {
		return sizeAnswer{}, err
	}
	ended := d.take(now, decide.Pin)
	o := decide.Override{Kind: decide.Pin, Size: target, Who: call.By.Name, Why: reason(why), Until: until}
	answer, err := l.override(ctx, call, d, g, o, ended)
	if p := d.policy; err == nil && (target < p.Min || target > p.Max) {
		answer.Notes = append(answer.Notes, fmt.Sprintf("that is outside of the policy's %d to %d", p.Min, p.Max))
	}
	return answer, err
}

func (l *leader) pause(ctx context.Context, call command.Call, q pauseRequest) (sizeAnswer, error) {
	now := time.Now()
	until, err := q.end(now)
	if err != nil {
		return sizeAnswer{}, err
	}
	d, err := l.draft(ctx)
	if err != nil {
		return sizeAnswer{}, err
	}
	if pin, pinned := d.find(now, decide.Pin); pinned {
		return sizeAnswer{}, problem.New(http.StatusConflict, problem.CodeConflict,
			"A pin is stronger than a pause, and one is in force: "+words(pin)+". Ask for another size, or resume first.")
	}
	ended := d.take(now, decide.Freeze)
	g := l.glance()
	o := decide.Override{Kind: decide.Freeze, Who: call.By.Name, Why: reason(q.Why), Until: until}
	return l.override(ctx, call, d, g, o, ended)
}

// override adds a person's word to the policy, and says what comes of it.
func (l *leader) override(ctx context.Context, call command.Call, d *draft, g glance, o decide.Override, ended []decide.Override) (sizeAnswer, error) {
	d.policy.Overrides = append(d.policy.Overrides, o)
	size := o.Size
	if o.Kind == decide.Freeze {
		size = g.census.size()
	}
	revision, err := l.put(ctx, call, d)
	if err != nil {
		return sizeAnswer{}, err
	}
	answer := sizeAnswer{Size: size, Override: &o, Ended: ended, Version: d.policy.Version, Revision: revision, Notes: d.notes}
	answer.foresee(g, 0)
	return answer, nil
}

// foresee fills in what becomes of the instances.
func (a *sizeAnswer) foresee(g glance, leastAge time.Duration) {
	if !g.known {
		a.Notes = append(a.Notes, unseen)
		return
	}
	a.Was = g.census.size()
	a.forecast = foresee(g.census, a.Size, leastAge)
}

func (l *leader) resume(ctx context.Context, call command.Call, _ struct{}) (sizeAnswer, error) {
	d, err := l.draft(ctx)
	if err != nil {
		return sizeAnswer{}, err
	}
	g := l.glance()
	answer := sizeAnswer{Size: g.last.Target, Version: d.policy.Version, Notes: d.notes}
	answer.Ended = d.take(time.Now(), decide.Pin, decide.Freeze)
	if len(answer.Ended) == 0 {
		answer.Notes = append(answer.Notes, "nothing was paused or pinned")
		answer.foresee(g, l.cfg.LeastAge)
		return answer, nil
	}
	if answer.Revision, err = l.put(ctx, call, d); err != nil {
		return sizeAnswer{}, err
	}
	answer.Version = d.policy.Version
	if answer.Size = g.last.Clamped; len(g.last.Blind) > 0 {
		answer.Size = g.census.size()
	}
	answer.foresee(g, l.cfg.LeastAge)
	return answer, nil
}

func reason(why string) string {
	if why == "" {
		return command.NoReason
	}
	return why
}
