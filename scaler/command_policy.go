package scaler

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/scaler/decide"
)

// policyAnswer is the policy in force and what is to be said of the document that was
// put last.
type policyAnswer struct {
	InForce  decide.Policy `json:"in_force"`          // within a tick, if it was just put
	Revision uint64        `json:"revision"`          // of the document that was put last; 0: nobody ever put one
	PutAt    time.Time     `json:"put_at,omitzero"`   // when that was
	Followed bool          `json:"followed"`          // it can be, and is within a tick
	Refusal  string        `json:"refusal,omitempty"` // everything that is wrong with it
	Document string        `json:"document,omitempty"`
}

type putPolicyRequest struct {
	// Policy is the whole document. Its version is set here, and overrides that are in
	// force stay unless it says others.
	Policy   json.RawMessage `json:"policy"`
	Revision *uint64         `json:"revision,omitempty"` // refuse if another document stands there
}

type putPolicyAnswer struct {
	Policy   decide.Policy `json:"policy"` // as it is followed
	Version  int           `json:"version"`
	Revision uint64        `json:"revision,omitempty"` // none of a dry run
	Was      decide.Policy `json:"was"`
	Notes    []string      `json:"notes,omitempty"`
}

type versionsRequest struct {
	Revision uint64 `json:"revision,omitempty"` // this one only, and with its document
}

type versionsAnswer struct {
	Versions []policyVersion `json:"versions"` // the newest first
}

type policyVersion struct {
	Revision uint64      `json:"revision"`
	PutAt    time.Time   `json:"put_at"`
	Version  *int        `json:"version,omitempty"` // 0: what was in force before anybody put one
	Policy   decide.Kind `json:"policy,omitempty"`
	Refusal  string      `json:"refusal,omitempty"`  // why it was never followed
	Document string      `json:"document,omitempty"` // as it was put
}

type restoreRequest struct {
	Revision uint64 `json:"revision"`
}

func (l *leader) policyCommands() []command.Command {
	p := decide.DefaultPolicy()
	p.Version = 12
	next := p
	next.Version, next.Max = 13, 12
	put, version := exampleMoment(), p.Version
	return []command.Command{
		command.Read("policy", "Shows the policy in force, and whether the document that was put last is followed.",
			struct{}{}, policyAnswer{InForce: p, Revision: 86, PutAt: put, Followed: true}, l.showPolicy),
		command.Change("policy.put", "Puts another policy document; one that cannot be followed is refused.",
			putPolicyRequest{Policy: json.RawMessage(`{"format":1,"policy":"target-wait","max":12,"slots_per_instance":2}`)},
			putPolicyAnswer{Policy: next, Version: 13, Revision: 87, Was: p}, l.putPolicy),
		command.Read("policy.versions", "Lists the documents that were put, the newest first; one of them whole by its revision.",
			versionsRequest{}, versionsAnswer{Versions: []policyVersion{{Revision: 86, PutAt: put, Version: &version, Policy: decide.TargetWait}}}, l.listVersions),
		command.Change("policy.restore", "Goes back to a document that was put earlier, as a new version; overrides stay as they are.",
			restoreRequest{Revision: 80}, putPolicyAnswer{Policy: next, Version: 13, Revision: 87, Was: p}, l.restorePolicy),
	}
}

func (l *leader) showPolicy(ctx context.Context, _ struct{}) (policyAnswer, error) {
	put, err := l.doors.Queue.ScalingPolicy(ctx)
	if err != nil {
		return policyAnswer{}, err
	}
	answer := policyAnswer{Revision: put.Revision, PutAt: put.At, Followed: true}
	if answer.InForce, err = l.policyInForce(ctx); err != nil || put.Revision == 0 {
		return answer, err
	}
	p, err := decide.ReadPolicy(put.Text)
	if err != nil {
		answer.Followed, answer.Refusal, answer.Document = false, whatIsWrong(err), shown(put.Text)
		return answer, nil
	}
	answer.InForce = p // whoever goes on from the one before would take it back
	return answer, nil
}

// shown bounds what somebody typed, however large.
func shown(text []byte) string {
	const most = 100 << 10
	return string(bytes.ToValidUTF8(text[:min(len(text), most)], []byte("?")))
}

func (l *leader) putPolicy(ctx context.Context, call command.Call, q putPolicyRequest) (putPolicyAnswer, error) {
	if len(q.Policy) == 0 {
		return putPolicyAnswer{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "Say which policy.").WithField("policy", "is missing")
	}
	p, err := decide.ReadPolicy(q.Policy)
	if err != nil {
		return putPolicyAnswer{}, cannotBeFollowed(err)
	}
	d, err := l.draft(ctx)
	if err != nil {
		return putPolicyAnswer{}, err
	}
	if q.Revision != nil && *q.Revision != d.instead {
		return putPolicyAnswer{}, changedMeanwhile()
	}
	var says struct {
		Overrides *[]decide.Override `json:"overrides"`
	}
	if err := json.Unmarshal(q.Policy, &says); err != nil {
		return putPolicyAnswer{}, cannotBeFollowed(err)
	}
	return l.supersede(ctx, call, d, p, says.Overrides == nil)
}

func (l *leader) restorePolicy(ctx context.Context, call command.Call, q restoreRequest) (putPolicyAnswer, error) {
	if q.Revision == 0 {
		return putPolicyAnswer{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "Say which revision.").WithField("revision", "is missing")
	}
	versions, err := l.doors.Queue.PolicyVersions(ctx)
	if err != nil {
		return putPolicyAnswer{}, err
	}
	then, err := findVersion(versions, q.Revision)
	if err != nil {
		return putPolicyAnswer{}, err
	}
	p, err := decide.ReadPolicy(then.Text)
	if err != nil {
		return putPolicyAnswer{}, cannotBeFollowed(err)
	}
	d, err := l.draft(ctx)
	if err != nil {
		return putPolicyAnswer{}, err
	}
	return l.supersede(ctx, call, d, p, true)
}

// supersede puts a policy in the place of the draft's.
//
//nolint:revive // keepOverrides is a choice of the caller's request
func (l *leader) supersede(ctx context.Context, call command.Call, d *draft, p decide.Policy, keepOverrides bool) (putPolicyAnswer, error) {
	answer := putPolicyAnswer{Was: d.policy}
	if keepOverrides {
		d.take(time.Now()) // those that are over
		p.Overrides = d.policy.Overrides
	}
	d.policy = p
	var err error
	if answer.Revision, err = l.put(ctx, call, d); err != nil {
		return putPolicyAnswer{}, err
	}
	answer.Policy, answer.Version, answer.Notes = d.policy, d.policy.Version, d.notes
	if n := len(p.Overrides); keepOverrides && n > 0 {
		for _, o := range p.Overrides {
			answer.Notes = append(answer.Notes, words(o)+", stays in force")
		}
	}
	return answer, nil
}

func (l *leader) listVersions(ctx context.Context, q versionsRequest) (versionsAnswer, error) {
	versions, err := l.doors.Queue.PolicyVersions(ctx)
	if err != nil {
		return versionsAnswer{}, err
	}
	if q.Revision != 0 {
		one, err := findVersion(versions, q.Revision)
		if err != nil {
			return versionsAnswer{}, err
		}
		v := describeVersion(one)
		v.Document = shown(one.Text)
		return versionsAnswer{[]policyVersion{v}}, nil
	}
	answer := versionsAnswer{Versions: []policyVersion{}}
	for _, one := range slices.Backward(versions) {
		answer.Versions = append(answer.Versions, describeVersion(one))
	}
	return answer, nil
}

func describeVersion(text jobqueue.PolicyText) policyVersion {
	v := policyVersion{Revision: text.Revision, PutAt: text.At}
	p, err := decide.ReadPolicy(text.Text)
	if err != nil {
		v.Refusal = whatIsWrong(err)
		return v
	}
	v.Version, v.Policy = &p.Version, p.Kind
	return v
}

func findVersion(versions []jobqueue.PolicyText, revision uint64) (jobqueue.PolicyText, error) {
	at := slices.IndexFunc(versions, func(v jobqueue.PolicyText) bool { return v.Revision == revision })
	if at < 0 {
		return jobqueue.PolicyText{}, problem.New(http.StatusNotFound, problem.CodeNotFound,
			fmt.Sprintf("No policy of the revision %d is remembered. The command policy.versions lists those that are.", revision)).
			WithField("revision", "is not known")
	}
	return versions[at], nil
}
