package scaler_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"maskfleet/pkg/jobqueue"
	"maskfleet/scaler/decide"
)

type policyShown struct {
	InForce  decide.Policy `json:"in_force"`
	Revision uint64
	Followed bool
	Refusal  string
	Document string
}

type policyPut struct {
	DryRun   bool `json:"dry_run"`
	Policy   decide.Policy
	Was      decide.Policy
	Version  int
	Revision uint64
	Notes    []string
}

type policyVersions struct {
	Versions []struct {
		Revision uint64
		Version  int
		Policy   decide.Kind
		Refusal  string
		Document string
	}
}

// manual is a policy document of so many instances.
func manual(size int) string {
	return fmt.Sprintf(`{"format":1,"policy":"manual","manual":{"size":%d},"tick_seconds":0.1}`, size)
}

// TestPolicyByCommand: shown, put, refused, listed, and gone back to.
func TestPolicyByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manual(1))
	w.scale(t)
	o := w.operator(t)
	var shown policyShown
	o.does("policy", ``, &shown)
	if shown.InForce.Manual.Size != 1 || shown.Revision != 0 || !shown.Followed {
		t.Errorf("nobody ever put one: %+v", shown)
	}
	var versions policyVersions
	eventually(t, "the policy to begin with is a version", func() bool {
		o.does("policy.versions", ``, &versions)
		return len(versions.Versions) == 1
	})
	begun := versions.Versions[0].Revision
	var put policyPut
	o.does("policy.put", `{"policy":`+manual(2)+`,"dry_run":true}`, &put)
	if !put.DryRun || put.Version != 1 || put.Revision != 0 || put.Was.Manual.Size != 1 || put.Policy.Manual.Size != 2 {
		t.Errorf("tried: %+v", put)
	}
	put = policyPut{}
	o.does("policy.put", `{"policy":`+manual(2)+`}`, &put)
	if put.DryRun || put.Version != 1 || put.Revision == 0 {
		t.Errorf("put: %+v", put)
	}
	first := put.Revision
	if o.does("policy", ``, &shown); shown.InForce.Manual.Size != 2 || shown.Revision != first {
		t.Errorf("shown at once after it was put: %+v", shown)
	}
	o.untilFleet(2)

	// Everything that is wrong is told at once, and nothing becomes of it.
	o.isTold(http.StatusBadRequest, "policy.put", `{"policy":{"format":1,"policy":"cpu-ratio","min":9,"max":3,"cpu_ratio":{"grow_above":0.3,"shrink_below":0.6,"expand":2,"keep":0.5}}}`,
		"min 9 is above max 3", "it would do both")
	o.isTold(http.StatusBadRequest, "policy.put", `{"policy":{"format":1,"policy":"manual","max":1000000000}}`, "at most 10000")
	o.isTold(http.StatusBadRequest, "policy.put", `{"policy":{"format":2}}`, "format 2 is unknown")
	o.isTold(http.StatusBadRequest, "policy.put", `{"policy":{"format":1,"policy":"manual","maximum":3}}`, "maximum")
	o.isTold(http.StatusBadRequest, "policy.put", `{}`, "which policy")
	o.isTold(http.StatusBadRequest, "policy.put", `{"policy":"manual"}`, "cannot be followed")
	o.isTold(http.StatusConflict, "policy.put", fmt.Sprintf(`{"policy":%s,"revision":%d}`, manual(3), first-1), "meanwhile")

	// A person's word stays when the policy changes, unless the document says another.
	o.sizes("resize", `{"size":3}`)
	put = policyPut{}
	o.does("policy.put", `{"policy":`+manual(1)+`}`, &put)
	if len(put.Policy.Overrides) != 1 || len(put.Notes) != 1 || !strings.Contains(put.Notes[0], "the pin of 3 by operator") || put.Version != 3 {
		t.Errorf("put while pinned: %+v", put)
	}
	put = policyPut{}
	o.does("policy.put", fmt.Sprintf(`{"policy":{"format":1,"policy":"manual","tick_seconds":0.1,"overrides":[]},"revision":%d}`, o.revision()), &put)
	if len(put.Policy.Overrides) != 0 || put.Version != 4 {
		t.Errorf("put without overrides: %+v", put)
	}

	versions = policyVersions{}
	o.does("policy.versions", ``, &versions)
	if len(versions.Versions) != 5 || versions.Versions[0].Version != 4 || versions.Versions[3].Revision != first || versions.Versions[3].Version != 1 ||
		versions.Versions[4].Revision != begun || versions.Versions[4].Version != 0 {
		t.Errorf("versions: %+v", versions)
	}
	o.does("policy.versions", fmt.Sprintf(`{"revision":%d}`, first), &versions)
	if len(versions.Versions) != 1 || !strings.Contains(versions.Versions[0].Document, `"size":2`) {
		t.Errorf("one version: %+v", versions)
	}
	o.isTold(http.StatusNotFound, "policy.versions", `{"revision":99999}`, "99999")
	o.isTold(http.StatusNotFound, "policy.restore", `{"revision":99999}`, "99999")
	o.isTold(http.StatusBadRequest, "policy.restore", `{}`, "which revision")
	put = policyPut{}
	o.does("policy.restore", fmt.Sprintf(`{"revision":%d,"dry_run":true}`, first), &put)
	if !put.DryRun || put.Policy.Manual.Size != 2 {
		t.Errorf("going back tried: %+v", put)
	}
	put = policyPut{}
	o.does("policy.restore", fmt.Sprintf(`{"revision":%d}`, first), &put)
	if put.Policy.Manual.Size != 2 || put.Version != 5 {
		t.Errorf("gone back: %+v", put)
	}
	o.untilFollowed(5)
	put = policyPut{}
	o.does("policy.restore", fmt.Sprintf(`{"revision":%d,"dry_run":true}`, begun), &put)
	if put.Policy.Manual.Size != 1 || put.Version != 6 {
		t.Errorf("going back to what the scaler began with: %+v", put)
	}

	var decisions struct {
		Decisions []struct {
			ID      string
			Version int
			Reason  string
			Whole   *decide.Decision
		}
		Next string
	}
	eventually(t, "the decision is on record", func() bool {
		o.does("decisions", `{"limit":2,"whole":true}`, &decisions)
		return decisions.Decisions[0].Version == 5
	})
	if d := decisions.Decisions[0]; len(decisions.Decisions) != 2 || d.Whole == nil || d.Whole.Version != 5 || d.Reason == "" || decisions.Next == "" {
		t.Errorf("decisions: %+v", decisions)
	}
	before := decisions.Decisions[1].ID
	o.does("decisions", fmt.Sprintf(`{"limit":1,"before":%q}`, before), &decisions)
	if len(decisions.Decisions) != 1 || decisions.Decisions[0].ID >= before {
		t.Errorf("the next page: %+v", decisions)
	}
	o.isTold(http.StatusBadRequest, "decisions", `{"limit":201}`, "limit")
}

func (o operator) revision() uint64 {
	o.t.Helper()
	put, err := o.queue.ScalingPolicy(o.t.Context())
	if err != nil {
		o.t.Fatal(err)
	}
	return put.Revision
}

// TestBadPolicyIsNotFollowed: one that somebody typed past the commands. The one in
// force stays, also after a restart; a command mends it.
func TestBadPolicyIsNotFollowed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, manual(1))
	stop := w.scale(t)
	o := w.operator(t)
	w.put(t, manual(2))
	o.untilFleet(2)

	told := o.hears("events.fleet.policy.pool")
	w.put(t, `{"format":1,"policy":"manual","manual":{"size":7},"min":5,"max":2}`)
	var status jobqueue.PolicyStatus
	if err := json.Unmarshal(told(), &status); err != nil || status.Followed || status.Revision != o.revision() || !strings.Contains(status.Error, "min 5 is above max 2") {
		t.Errorf("told %+v, %v", status, err)
	}
	entry := o.kept("scaling.policy.status")
	if !strings.Contains(entry, "min 5 is above max 2") || !strings.Contains(entry, `"followed":false`) {
		t.Errorf("the status says %s", entry)
	}
	check := func(when string) {
		t.Helper()
		eventually(t, when+" the status says why", func() bool { return strings.Contains(o.says().PolicyRefusal, "min 5 is above max 2") })
		if s := o.says(); s.Policy.Manual.Size != 2 || s.Decision.Target != 2 {
			t.Errorf("%s: %+v", when, s)
		}
	}
	check("at once")
	var shown policyShown
	o.does("policy", ``, &shown)
	if shown.Followed || shown.InForce.Manual.Size != 2 || !strings.Contains(shown.Document, `"min":5`) || !strings.Contains(shown.Refusal, "min 5") {
		t.Errorf("shown: %+v", shown)
	}
	stop()
	w.scale(t)
	o = w.operator(t)
	check("after a restart")

	done := o.sizes("resize", `{"size":1}`)
	if len(done.Notes) == 0 || !strings.Contains(done.Notes[0], "min 5 is above max 2") {
		t.Errorf("a pin over a bad document: %+v", done)
	}
	o.untilFollowed(done.Version)
	if s := o.says(); s.PolicyRefusal != "" || s.Policy.Manual.Size != 2 {
		t.Errorf("mended: %+v", s)
	}
}

// kept is what stands in the bucket of live settings.
func (o operator) kept(key string) string {
	o.t.Helper()
	msg, err := o.nc.Request("$JS.API.DIRECT.GET.KV_CONFIG.$KV.CONFIG."+key, nil, patience)
	if err != nil {
		o.t.Fatal(err)
	}
	return string(msg.Data)
}
