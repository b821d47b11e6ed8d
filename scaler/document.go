package scaler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/scaler/decide"
)

// draft is a policy document that is to stand in the place of the one that was put
// last. What a command changes is a document like one that a person types: it stands in
// the same place, has a version, and is seen by everybody.
type draft struct {
	policy  decide.Policy
	instead uint64   // the revision that it was made from; 0: nobody ever put one
	version int      // the highest so far
	notes   []string // what whoever changes it should know
}

// draft begins with the document that was put last. If that cannot be followed it
// begins with the one in force, and what cannot be followed is written over.
func (l *leader) draft(ctx context.Context) (*draft, error) {
	put, err := l.doors.Queue.ScalingPolicy(ctx)
	if err != nil {
		return nil, err
	}
	inForce, err := l.policyInForce(ctx)
	if err != nil {
		return nil, err
	}
	d := &draft{policy: inForce, instead: put.Revision, version: inForce.Version}
	if put.Revision == 0 {
		return d, nil
	}
	p, refusal := decide.ReadPolicy(put.Text)
	if refusal != nil {
		d.notes = append(d.notes, "the document that was put last could not be followed and is replaced: "+whatIsWrong(refusal))
		return d, nil
	}
	d.policy, d.version = p, max(d.version, p.Version)
	return d, nil
}

// policyInForce is read from the broker, because commands come before the first tick,
// too.
func (l *leader) policyInForce(ctx context.Context) (decide.Policy, error) {
	applied, err := l.doors.Queue.AppliedPolicy(ctx)
	if err != nil {
		return decide.Policy{}, err
	}
	if p, err := decide.ReadPolicy(applied.Text); err == nil {
		return p, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.inForce, nil
}

// put stores the draft as the next version, unless it is a dry run or somebody else was
// faster. The ticks follow it as if it had been typed.
func (l *leader) put(ctx context.Context, call command.Call, d *draft) (revision uint64, err error) {
	if !l.lease.leading() {
		return 0, deposed()
	}
	d.policy.Version = d.version + 1
	text, err := json.Marshal(d.policy)
	if err != nil {
		return 0, fmt.Errorf("writing the policy: %w", err)
	}
	if _, err := decide.ReadPolicy(text); err != nil {
		return 0, cannotBeFollowed(err)
	}
	if call.DryRun {
		return 0, nil
	}
	revision, err = l.doors.Queue.PutScalingPolicy(ctx, text, d.instead)
	if errors.Is(err, jobqueue.ErrChanged) {
		return 0, changedMeanwhile().WithCause(err)
	}
	return revision, err
}

// take removes overrides, and those whose time is over with them, which are not given.
func (d *draft) take(now time.Time, kinds ...decide.OverrideKind) (taken []decide.Override) {
	var kept []decide.Override
	for _, o := range d.policy.Overrides {
		switch {
		case !holds(o, now):
		case slices.Contains(kinds, o.Kind):
			taken = append(taken, o)
		default:
			kept = append(kept, o)
		}
	}
	d.policy.Overrides = kept
	return taken
}

// find gives the override of the kind that is in force: of several the last.
func (d *draft) find(now time.Time, kind decide.OverrideKind) (decide.Override, bool) {
	for _, o := range slices.Backward(d.policy.Overrides) {
		if o.Kind == kind && holds(o, now) {
			return o, true
		}
	}
	return decide.Override{}, false
}

func holds(o decide.Override, now time.Time) bool { return o.Until.IsZero() || now.Before(o.Until) }

// words says what an override is, in an answer.
func words(o decide.Override) string {
	text := fmt.Sprintf("the %s of %s (%s)", o.Kind, o.Who, o.Why)
	if o.Kind == decide.Pin {
		text = fmt.Sprintf("the pin of %d by %s (%s)", o.Size, o.Who, o.Why)
	}
	if o.Until.IsZero() {
		return text + ", until released"
	}
	return text + ", until " + o.Until.UTC().Format(time.RFC3339)
}

// whatIsWrong is a refusal without the words that it is one, which stand before it.
func whatIsWrong(err error) string {
	return strings.TrimPrefix(err.Error(), decide.ErrPolicy.Error()+": ")
}

// cannotBeFollowed tells everything that is wrong with a policy.
func cannotBeFollowed(err error) *problem.Problem {
	why := whatIsWrong(err)
	return command.Invalid("The policy cannot be followed: "+why+".").WithField("policy", why).WithCause(err)
}

func changedMeanwhile() *problem.Problem {
	return problem.New(http.StatusConflict, problem.CodeConflict,
		"Somebody else has changed the policy meanwhile, so nothing was done. Look at it and ask again.")
}

func deposed() *problem.Problem {
	return problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
		"This scaler has just lost its lease, so nothing was done. Ask again: another one answers.")
}
