package scaler_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"maskfleet/scaler"
)

type left struct {
	DryRun   bool `json:"dry_run"`
	Instance string
	Was      string
	InHand   int `json:"in_hand"`
	Launch   int
	Already  bool
}

// TestDrainByCommand: the instance finishes what it has in hand and goes for good;
// although the policy wants one more, it is not the drained one that is taken back.
func TestDrainByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t)
	o := w.operator(t)
	o.untilFleet(2)
	first := w.instances(t, "running")[0]
	w.crew.hold(first, 1)
	request := fmt.Sprintf(`{"instance":%q,"why":"its disk is full"`, first)
	var answer left
	eventually(t, "it is seen at work", func() bool {
		answer = left{}
		o.does("drain", request+`,"dry_run":true}`, &answer)
		return answer.InHand == 1
	})
	if !answer.DryRun || answer.Was != "ready" || answer.Launch != 1 || answer.Already || len(w.retiring(t)) != 0 {
		t.Errorf("tried: %+v, retiring %+v", answer, w.retiring(t))
	}
	answer = left{}
	o.does("drain", request+`}`, &answer)
	if answer.DryRun || answer.InHand != 1 || answer.Launch != 1 {
		t.Errorf("done: %+v", answer)
	}
	if r := w.retiring(t); len(r) != 1 || r[0].Instance != first || r[0].AskedBy != "operator" || r[0].Reason != "its disk is full" || !r[0].Final {
		t.Errorf("retiring: %+v", r)
	}
	eventually(t, "another takes its place", func() bool { return w.up(t) == 3 && w.workers(t) == 3 })
	if !w.crew.drains(first) {
		t.Error("it does not drain")
	}
	answer = left{}
	o.does("drain", request+`}`, &answer)
	if !answer.Already || answer.Was != "draining" || answer.Launch != 0 {
		t.Errorf("done twice: %+v", answer)
	}
	w.crew.hold(first, 0)
	o.untilFleet(2)
	if slices.Contains(w.instances(t, "running"), first) {
		t.Error("the drained one is still there")
	}
	o.isTold(http.StatusNotFound, "drain", `{"instance":"i-0123456789abcdef0"}`, "no such instance")
	o.isTold(http.StatusNotFound, "destroy", `{"instance":"i-0123456789abcdef0"}`, "no such instance")
	o.isTold(http.StatusBadRequest, "drain", `{}`, "which instance")
	o.isTold(http.StatusBadRequest, "destroy", `{"instnace":"x"}`, "instnace")
}

// TestStoppedInstanceByCommand: there is nothing to drain in it, but one can be rid of it.
func TestStoppedInstanceByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t, func(c *scaler.Config) { c.KeepStopped = 1 })
	o := w.operator(t)
	o.untilFleet(2)
	o.sizes("shrink", ``)
	eventually(t, "one is stopped", func() bool { return len(w.instances(t, "stopped")) == 1 && o.says().Fleet["stopped"] == 1 })
	if tried := o.sizes("grow", `{"dry_run":true}`); tried.Launch != 1 {
		t.Errorf("starting it counts as a launch: %+v", tried)
	}
	stopped := w.instances(t, "stopped")[0]
	o.isTold(http.StatusConflict, "drain", fmt.Sprintf(`{"instance":%q}`, stopped), "is stopped")
	var answer left
	o.does("destroy", fmt.Sprintf(`{"instance":%q}`, stopped), &answer)
	if answer.Was != "stopped" || answer.Launch != 0 {
		t.Errorf("done: %+v", answer)
	}
	eventually(t, "it is gone", func() bool { return w.up(t) == 1 && o.says().Fleet["stopped"] == 0 && len(w.retiring(t)) == 0 })
}

// TestOutdatedInstancesDoNotStayStopped: they would never be started again.
func TestOutdatedInstancesDoNotStayStopped(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	stop := w.scale(t, func(c *scaler.Config) { c.KeepStopped, c.Fleet.Version = 1, "1" })
	o := w.operator(t)
	o.untilFleet(2)
	o.sizes("shrink", ``)
	eventually(t, "one is stopped", func() bool { return len(w.instances(t, "stopped")) == 1 })
	stop()
	w.scale(t, func(c *scaler.Config) { c.KeepStopped, c.Fleet.Version = 1, "2" })
	eventually(t, "it is ended", func() bool { return len(w.instances(t, "stopped")) == 0 && w.up(t) == 1 })
}

// TestDestroyByCommand: it is ended although it has photos in hand, also one that is
// draining already.
func TestDestroyByCommand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, twoByHand)
	w.scale(t)
	o := w.operator(t)
	o.untilFleet(2)
	both := w.instances(t, "running")
	ended := o.hears("events.fleet.ended." + both[0])
	for _, id := range both {
		w.crew.hold(id, 2)
	}
	var answer left
	o.does("destroy", fmt.Sprintf(`{"instance":%q,"dry_run":true}`, both[0]), &answer)
	if !answer.DryRun || answer.Launch != 1 || !slices.Equal(w.instances(t, "running"), both) {
		t.Errorf("tried: %+v", answer)
	}
	o.does("destroy", fmt.Sprintf(`{"instance":%q,"why":"it hangs"}`, both[0]), &answer)
	if slices.Contains(w.instances(t, "pending", "running"), both[0]) {
		t.Error("it runs on")
	}
	ended()
	eventually(t, "another takes its place", func() bool { return w.up(t) == 2 && w.workers(t) >= 2 && len(w.retiring(t)) == 0 })

	o.does("drain", fmt.Sprintf(`{"instance":%q}`, both[1]), &answer)
	eventually(t, "it drains", func() bool { return w.crew.drains(both[1]) })
	answer = left{}
	o.does("destroy", fmt.Sprintf(`{"instance":%q}`, both[1]), &answer)
	if !answer.Already {
		t.Errorf("a draining one: %+v", answer)
	}
	o.untilFleet(2)
	var actions []string
	for _, r := range o.audit() {
		if r.Actor == "operator" {
			actions = append(actions, r.Action+" "+r.Subject)
		}
	}
	want := []string{"scaler.destroy " + both[1], "scaler.drain " + both[1], "scaler.destroy " + both[0]}
	if !slices.Equal(actions, want) {
		t.Errorf("recorded %q, want %q", actions, want)
	}
}
