package scaler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/scaler/decide"
)

// policyStore is the broker as the live policy sees it.
type policyStore interface {
	ScalingPolicy(ctx context.Context) (jobqueue.PolicyText, error)
	AppliedPolicy(ctx context.Context) (jobqueue.PolicyText, error)
	PutAppliedPolicy(ctx context.Context, text []byte) error
	PutPolicyStatus(ctx context.Context, status jobqueue.PolicyStatus) error
	AnnounceFleet(ctx context.Context, what jobqueue.FleetEvent, instance string, details any)
}

// livePolicy is the policy in force: the document that was put last, if it can be
// followed, else the one before it. What is in force outlives a restart, also while a
// bad document stands in its place.
type livePolicy struct {
	broker policyStore
	log    *slog.Logger

	current  decide.Policy
	applied  []byte // the document in force, as it was put
	revision uint64 // of the document that was read last, followed or not
	refusal  error  // why it is not followed; nil: it is
	loaded   bool   // what was in force before us
	lost     bool   // what was in force cannot be followed, and nothing that can was put since
}

// refresh looks whether another document was put, and gives the policy in force. A
// broker that does not answer changes nothing.
func (l *livePolicy) refresh(ctx context.Context) decide.Policy {
	if !l.loaded && !l.load(ctx) {
		return l.current
	}
	wanted, err := l.broker.ScalingPolicy(ctx)
	if err != nil {
		l.log.DebugContext(ctx, "policy not read", "err", err)
		return l.current
	}
	if wanted.Revision == 0 || wanted.Revision == l.revision {
		return l.current
	}
	p, refusal := decide.ReadPolicy(wanted.Text)
	if refusal == nil {
		if err := l.apply(ctx, wanted.Text); err != nil {
			l.log.WarnContext(ctx, "policy not applied yet", "err", err)
			return l.current
		}
		l.current, l.lost = p, false
	}
	l.revision, l.refusal = wanted.Revision, refusal
	l.tell(ctx)
	return l.current
}

// apply puts the document in force on record, once: the bucket remembers some of them
// only, and each new leader reads the same again.
func (l *livePolicy) apply(ctx context.Context, text []byte) error {
	if bytes.Equal(text, l.applied) {
		return nil
	}
	if err := l.broker.PutAppliedPolicy(ctx, text); err != nil {
		return err
	}
	l.applied = text
	return nil
}

// followable says whether the fleet may be brought to a decision's target. The policy to
// begin with is no stand-in for one that nobody can read: it could halve the fleet.
func (l *livePolicy) followable() bool { return !l.lost }

// load takes over what was in force, and says at the first start of all what is.
func (l *livePolicy) load(ctx context.Context) bool {
	applied, err := l.broker.AppliedPolicy(ctx)
	if err != nil {
		l.log.DebugContext(ctx, "policy in force not read", "err", err)
		return false
	}
	if applied.Revision == 0 {
		text, err := json.Marshal(l.current)
		if err == nil {
			err = l.apply(ctx, text)
		}
		if err != nil {
			l.log.WarnContext(ctx, "policy in force not told", "err", err)
			return false
		}
	} else if p, err := decide.ReadPolicy(applied.Text); err == nil {
		l.current, l.applied = p, applied.Text
	} else { // of a newer or an older version of this program
		l.log.ErrorContext(ctx, "policy that was in force cannot be followed", "err", err)
		l.lost, l.refusal = true, fmt.Errorf("the policy that was in force cannot be followed, so the size of the fleet is left as it is: %s", whatIsWrong(err))
	}
	l.loaded = true
	return true
}

func (l *livePolicy) tell(ctx context.Context) {
	status := jobqueue.PolicyStatus{Revision: l.revision, Followed: l.refusal == nil, At: time.Now().UTC()}
	if l.refusal != nil {
		status.Error = l.refusal.Error()
	}
	if err := l.broker.PutPolicyStatus(ctx, status); err != nil {
		l.log.WarnContext(ctx, "status of the policy not told", "err", err)
	}
	l.broker.AnnounceFleet(ctx, jobqueue.EventPolicy, jobqueue.Pool, status)
	l.log.InfoContext(ctx, "policy read", "followed", status.Followed, "policy", l.current.Kind, "version", l.current.Version, "err", l.refusal)
}
