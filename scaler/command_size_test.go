package scaler_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"maskfleet/scaler"
	"maskfleet/scaler/decide"
)

// TestSizesByCommand: each command about the size tried, done and refused, and who did
// it is on record.
func TestSizesByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t)
	o := w.operator(t)
	o.untilFleet(2)

	tried := o.sizes("resize", `{"size":9,"dry_run":true}`)
	if !tried.DryRun || tried.Was != 2 || tried.Size != 9 || tried.Launch != 7 || tried.Version != 1 || tried.Revision != 0 ||
		!slices.ContainsFunc(tried.Notes, func(n string) bool { return strings.Contains(n, "outside of the policy's 1 to 8") }) {
		t.Errorf("a size tried: %+v", tried)
	}
	if put, err := w.queue.ScalingPolicy(t.Context()); err != nil || put.Revision != 0 || len(o.audit()) != 0 {
		t.Errorf("a dry run left %q, %v, %+v", put.Text, err, o.audit())
	}

	done := o.sizes("resize", `{"size":3,"why":"the open day","for":"30m"}`)
	if p := done.Override; done.Launch != 1 || done.Version != 1 || done.Revision == 0 || p == nil || p.Kind != decide.Pin || p.Size != 3 ||
		p.Who != "operator" || p.Why != "the open day" || !near(p.Until, time.Now().Add(30*time.Minute)) {
		t.Errorf("a size pinned: %+v", done)
	}
	o.untilFleet(3)

	done = o.sizes("grow", `{}`)
	if p := done.Override; done.Size != 4 || done.Launch != 1 || done.Version != 2 || len(done.Ended) != 1 || done.Ended[0].Size != 3 ||
		!near(p.Until, time.Now().Add(time.Hour)) {
		t.Errorf("one more: %+v", done)
	}
	o.untilFleet(4)
	if s := o.says(); len(s.Policy.Overrides) != 1 || s.Policy.Version != 2 {
		t.Errorf("a pin did not replace the one before: %+v", s.Policy)
	}

	tried = o.sizes("shrink", `{"by":2,"dry_run":true}`)
	running := w.instances(t, "running")
	if tried.Size != 2 || len(tried.Retire) != 2 || !slices.Contains(running, tried.Retire[0]) || !slices.Contains(running, tried.Retire[1]) {
		t.Errorf("two fewer tried: %+v of %v", tried, running)
	}
	done = o.sizes("shrink", `{"by":2,"until_released":true}`)
	if !slices.Equal(done.Retire, tried.Retire) || !done.Override.Until.IsZero() {
		t.Errorf("two fewer: %+v, tried %+v", done, tried)
	}
	o.untilFleet(2)
	if left := w.instances(t, "running"); slices.Contains(left, tried.Retire[0]) || slices.Contains(left, tried.Retire[1]) {
		t.Errorf("left are %v, forecast to go were %v", left, tried.Retire)
	}
	if tried = o.sizes("shrink", `{"by":7,"dry_run":true}`); tried.Size != 1 {
		t.Errorf("one step too many closes the site: %+v", tried)
	}

	o.isTold(http.StatusConflict, "pause", `{}`, "the pin of 2 by operator")
	if tried = o.sizes("resume", `{"dry_run":true}`); len(tried.Ended) != 1 || tried.Revision != 0 {
		t.Errorf("resuming tried: %+v", tried)
	}
	done = o.sizes("resume", ``)
	if len(done.Ended) != 1 || done.Size != 2 || done.Version != 4 {
		t.Errorf("resumed: %+v", done)
	}
	o.untilFollowed(4)
	if done = o.sizes("resume", ``); len(done.Ended) != 0 || done.Version != 4 || done.Revision != 0 {
		t.Errorf("resumed, and nothing was paused: %+v", done)
	}

	if tried = o.sizes("pause", `{"why":"a look","dry_run":true}`); tried.Override.Kind != decide.Freeze || tried.Revision != 0 {
		t.Errorf("pausing tried: %+v", tried)
	}
	var shown struct{ Override map[string]any }
	o.does("pause", `{"why":"a look","dry_run":true}`, &shown)
	if _, sized := shown.Override["size"]; sized || shown.Override["kind"] != "freeze" || shown.Override["until"] == nil {
		t.Errorf("a pause with a size: %+v", shown.Override)
	}
	done = o.sizes("pause", `{"why":"a look"}`)
	if done.Override.Kind != decide.Freeze || done.Size != 2 {
		t.Errorf("paused: %+v", done)
	}
	eventually(t, "the size is frozen", func() bool { d := o.says().Decision; return d.Override != nil && d.Override.Kind == decide.Freeze })
	done = o.sizes("resume", ``)
	if len(done.Ended) != 1 || done.Ended[0].Kind != decide.Freeze {
		t.Errorf("resumed after a pause: %+v", done)
	}

	o.does("terminate-all", `{"dry_run":true}`, &shown)
	if size, sized := shown.Override["size"]; !sized || size != 0.0 {
		t.Errorf("a pin to nobody without its size: %+v", shown.Override)
	}
	if tried = o.sizes("terminate-all", `{"dry_run":true}`); tried.Size != 0 || len(tried.Retire) != 2 || tried.Revision != 0 {
		t.Errorf("ending all tried: %+v", tried)
	}
	done = o.sizes("terminate-all", `{"why":"the store moves"}`)
	if done.Size != 0 || len(done.Retire) != 2 || !done.Override.Until.IsZero() {
		t.Errorf("all terminated: %+v", done)
	}
	o.untilFleet(0)
	o.isTold(http.StatusConflict, "shrink", ``, "no instance already") // or it would end sooner
	if done = o.sizes("resume", ``); done.Size != 2 || done.Launch != 2 {
		t.Errorf("resumed from nobody: %+v", done)
	}
	o.untilFleet(2)

	for request, word := range map[string]string{
		`{}`:                            "how many",
		`{"size":-1}`:                   `The field "size" is -1, want 0 to 10000`,
		`{"size":1000000000}`:           `The field "size" is 1000000000, want 0 to 10000`,
		`{"size":2,"for":"0s"}`:         "over already",
		`{"size":2,"until":"tomorrow"}`: `The field "until" is no moment like`,
		`{"size":2,"for":"1h"`:          "it ends before it is complete",
		`{"size":2,,"for":"1h"}`:        "no JSON from byte 11 on",
		`{"size":2,"for":"1h","until_released":true}`: "Say one of",
		`{"size":2,"until":"2020-01-01T00:00:00Z"}`:   "over already",
		`{"size":2,"for":"-5m"}`:                      "over already",
		`{"size":2,"for":"99999h"}`:                   "more than a year",
		`{"size":2,"forr":"1h"}`:                      "forr",
	} {
		o.isTold(http.StatusBadRequest, "resize", request, word)
	}
	o.isTold(http.StatusBadRequest, "grow", `{"by":0}`, "by")
	o.isTold(http.StatusBadRequest, "terminate-all", `{"for":"1h"}`, "for") // until released
	o.isTold(http.StatusBadRequest, "resume", `{"what":"all"}`, "what")
	o.isTold(http.StatusBadRequest, "shrink", `{"by":-3}`, "by")

	var actions []string
	for _, r := range o.audit() {
		if r.Actor != "operator" {
			continue // the scaler tells workers to drain
		}
		if outcome := r.Detail["outcome"]; outcome != "done" && outcome != "conflict" {
			t.Errorf("recorded %+v", r)
		}
		actions = append(actions, r.Action)
	}
	slices.Reverse(actions)
	want := []string{
		"scaler.resize", "scaler.grow", "scaler.shrink", "scaler.pause", "scaler.resume", "scaler.resume", "scaler.pause", "scaler.resume", "scaler.terminate-all", "scaler.shrink", "scaler.resume",
	}
	if !slices.Equal(actions, want) {
		t.Errorf("recorded %v, want %v", actions, want)
	}
}

// TestYoungInstancesStay: what a policy would let go is kept until it is LEAST_AGE old,
// which the answer and the status say; a person's word does not wait for that.
func TestYoungInstancesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t, func(c *scaler.Config) { c.LeastAge = time.Hour })
	o := w.operator(t)
	o.sizes("resize", `{"size":4}`)
	o.untilFleet(4)
	if s := o.says(); s.Young != 0 || !s.YoungUntil.IsZero() {
		t.Errorf("of four that are wanted %d are too many until %s", s.Young, s.YoungUntil)
	}
	eventually(t, "the scaler has looked long enough to shrink", func() bool { return len(o.says().Decision.Blind) == 0 })

	answer := o.sizes("resume", ``)
	if answer.Size != 2 || len(answer.Retire) != 0 || answer.Young != 2 || !near(answer.YoungUntil, time.Now().Add(time.Hour)) {
		t.Errorf("resumed: %+v", answer)
	}
	o.untilFollowed(answer.Version)
	if s := o.says(); s.Decision.Target != 2 || s.Fleet["ready"] != 4 || s.Young != 2 || !s.YoungUntil.Equal(answer.YoungUntil) {
		t.Errorf("two are to stay for their age: %+v", s)
	}

	answer = o.sizes("resize", `{"size":3}`)
	if len(answer.Retire) != 1 || answer.Young != 0 {
		t.Errorf("pinned to three: %+v", answer)
	}
	o.untilFleet(3)
}

// TestNobodyIsOverwritten: of people who change the policy at the same moment, each is
// done or told that it was not.
func TestNobodyIsOverwritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, `{"format":1,"policy":"manual","manual":{"size":1},"tick_seconds":0.1,"overrides":[{"kind":"freeze","who":"ann","why":"a test"}]}`)
	w.scale(t)
	o := w.operator(t)
	o.sizes("resize", `{"size":20}`) // frozen would be none: a pin is stronger
	size := 20
	var mu sync.Mutex
	var all sync.WaitGroup
	for command, step := range map[string]int{"grow": 1, "shrink": -1, "policy.put": 0} {
		all.Go(func() {
			for range 10 {
				request := `{}`
				if step == 0 {
					request = `{"policy":{"format":1,"policy":"manual","manual":{"size":1},"tick_seconds":0.1}}`
				}
				p := o.asks(command, request, nil)
				mu.Lock()
				switch {
				case p == nil:
					size += step
				case p.Status != http.StatusConflict:
					t.Errorf("%s: %+v", command, p)
				}
				mu.Unlock()
			}
		})
	}
	all.Wait()
	if tried := o.sizes("grow", `{"dry_run":true}`); tried.Size != size+1 {
		t.Errorf("after steps that were said to be done the size is %d, want %d", tried.Size-1, size)
	}
}
