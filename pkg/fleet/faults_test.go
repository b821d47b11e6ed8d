package fleet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/deployments/local/aws/faults"
	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobstore"
)

func TestThrottledCallsAreRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Throttling, Operations: []string{"RunInstances"}, Calls: 2})
	mustGrow(t, f, 1)
}

func TestThrottledLaunchIsMadeOnceLater(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.Zones = []string{zoneA} // so that there is one launch
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Throttling, Operations: []string{"RunInstances"}})
	g, err := f.Grow(t.Context(), lease(1), 2)
	wantError(t, err, fleet.ErrThrottled)
	if g.Count() != 0 || w.launches(t)[jobstore.LaunchOpen] != 1 {
		t.Errorf("grew by %+v, launches %v", g, w.launches(t))
	}
	w.ClearFaults(t)
	if err := f.Settle(t.Context(), lease(2)); err != nil {
		t.Fatal(err)
	}
	if up, listed := w.up(t), ids(list(t, f, nil).Instances); len(up) != 2 || !slices.Equal(up, listed) {
		t.Errorf("up are %v, listed %v, want the two that were asked for", up, listed)
	}
}

func TestLaunchWhoseAnswerIsLostIsNotRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.Zones = []string{zoneA} // so that there is one launch
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.LostAnswer, Operations: []string{"RunInstances"}})
	_, err := f.Grow(t.Context(), lease(1), 2)
	wantError(t, err, fleet.ErrUnavailable)
	w.ClearFaults(t)
	// Whoever grows next settles first, and finds two of those that it misses.
	g, err := f.Grow(t.Context(), lease(2), 3)
	if err != nil || len(g.Found) != 2 || len(g.Launched) != 1 || g.Count() != 3 {
		t.Fatalf("grew by %+v, %v", g, err)
	}
	if up, listed := w.up(t), ids(list(t, f, nil).Instances); len(up) != 3 || !slices.Equal(up, listed) {
		t.Errorf("up are %v, listed %v, want three", up, listed)
	}
	if open := w.launches(t)[jobstore.LaunchOpen]; open != 0 {
		t.Errorf("%d launches are open", open)
	}
}

func TestInstancesOfALostAnswerThatAListShowedAreNotMissing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.Zones = []string{zoneA} // so that there is one launch
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.LostAnswer, Operations: []string{"RunInstances"}})
	_, err := f.Grow(t.Context(), lease(1), 2)
	wantError(t, err, fleet.ErrUnavailable)
	w.ClearFaults(t)
	eventually(t, "both are listed", func() bool { return len(list(t, f, nil).Instances) == 2 })
	if g, err := f.Grow(t.Context(), lease(2), 1); err != nil || len(g.Found) != 0 || len(g.Launched) != 1 {
		t.Errorf("grew by %+v, %v, want another one", g, err)
	}
}

func TestOldOpenLaunchIsLookedUpAndNeverRepeated(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.Zones = []string{zoneA} // so that there is one launch
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.LostAnswer, Operations: []string{"RunInstances"}})
	_, err := f.Grow(t.Context(), lease(1), 2)
	wantError(t, err, fleet.ErrUnavailable)
	w.ClearFaults(t)
	w.Put(t, faults.Fault{Kind: faults.Throttling, Operations: []string{"RunInstances"}}) // whoever repeats fails
	f = w.open(t, func(c *fleet.Config) { c.Settling = time.Nanosecond })
	if err := f.Settle(t.Context(), lease(2)); err != nil {
		t.Fatal(err)
	}
	if got := w.launches(t)[jobstore.LaunchLaunched]; got != 1 {
		t.Errorf("launches %v, want the one found", w.launches(t))
	}

	_, err = f.Grow(t.Context(), lease(3), 1) // this one reaches nobody
	wantError(t, err, fleet.ErrThrottled)
	if err := f.Settle(t.Context(), lease(4)); err != nil {
		t.Fatal(err)
	}
	if got := w.launches(t)[jobstore.LaunchFailed]; got != 1 || len(w.up(t)) != 2 {
		t.Errorf("launches %v, up are %v", w.launches(t), w.up(t))
	}
}

func TestRefusalToRepeatALaunchSaysNothingOfIt(t *testing.T) {
	t.Parallel()
	for _, code := range []string{"UnauthorizedOperation", "InvalidAMIID.NotFound"} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, awstest.Options{})
			w.config.Zones = []string{zoneA} // so that there is one launch
			f := w.open(t)
			w.Put(t, faults.Fault{Kind: faults.LostAnswer, Operations: []string{"RunInstances"}})
			_, err := f.Grow(t.Context(), lease(1), 2)
			wantError(t, err, fleet.ErrUnavailable)
			w.ClearFaults(t)
			w.Put(t, faults.Fault{Kind: faults.Error, Code: code, Status: 403, Operations: []string{"RunInstances"}})
			if err := f.Settle(t.Context(), lease(2)); err == nil {
				t.Error("the launch is settled")
			}
			if open := w.launches(t)[jobstore.LaunchOpen]; open != 1 {
				t.Errorf("launches %v, want it open still", w.launches(t))
			}
			// When it is old, the list has the last word.
			f = w.open(t, func(c *fleet.Config) { c.Settling = time.Nanosecond })
			if err := f.Settle(t.Context(), lease(3)); err != nil {
				t.Fatal(err)
			}
			if launched := w.launches(t)[jobstore.LaunchLaunched]; launched != 1 {
				t.Errorf("launches %v, want it found", w.launches(t))
			}
		})
	}
}

func TestExpiredCredentialsAreNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Expired})
	_, err := f.Instances(t.Context(), nil)
	wantError(t, err, fleet.ErrExpiredCredentials)
	_, err = f.Grow(t.Context(), lease(1), 1)
	wantError(t, err, fleet.ErrExpiredCredentials)
	w.ClearFaults(t)
	mustGrow(t, f, 1)
	if up := w.up(t); len(up) != 1 {
		t.Errorf("up are %v", up)
	}
}

func TestWrongKeyIsDenied(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Error, Code: "UnauthorizedOperation", Status: 403, Operations: []string{"RunInstances"}})
	_, err := f.Grow(t.Context(), lease(1), 1)
	wantError(t, err, fleet.ErrDenied)
}

func TestNewInstanceCountsBeforeEC2ShowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Unseen, For: "1h"})
	launched := mustGrow(t, f, 2)
	slices.Sort(launched)
	for _, who := range []struct {
		name string
		f    *fleet.Fleet
	}{{"who launched it", f}, {"a new leader", w.open(t)}} {
		listed := list(t, who.f, nil).Instances
		if !slices.Equal(ids(listed), launched) || listed[0].Shown || listed[0].State != fleet.StatePending || listed[0].Zone == "" {
			t.Errorf("%s sees %+v, want %v", who.name, listed, launched)
		}
	}
	_, err := f.Terminate(t.Context(), lease(1), launched...)
	wantError(t, err, fleet.ErrNotFound)
	if listed := ids(list(t, f, nil).Instances); !slices.Equal(listed, launched) {
		t.Errorf("after a termination that was in vain: %v, want %v", listed, launched)
	}
}

func TestWhoActsGivesNobodyUp(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		act  func(f *fleet.Fleet) error
	}{
		{"growing", func(f *fleet.Fleet) error { _, err := f.Grow(t.Context(), lease(2), 1); return err }},
		{"ending what nobody has seen", func(f *fleet.Fleet) error {
			_, err := f.Terminate(t.Context(), lease(2), "i-0123456789abcdef0")
			if !errors.Is(err, fleet.ErrForeign) {
				return err
			}
			return nil
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, awstest.Options{})
			f := w.open(t, func(c *fleet.Config) { c.Settling = time.Nanosecond })
			mustGrow(t, f, 1) // so that lists are not empty
			eventually(t, "it is shown", func() bool {
				return count(list(t, f, nil).Instances, func(i fleet.Instance) bool { return i.Shown }) == 1
			})
			w.Put(t, faults.Fault{Kind: faults.Unseen, For: "1h"})
			lives := mustGrow(t, f, 1)[0]
			if err := test.act(f); err != nil {
				t.Fatal(err)
			}
			if listed := ids(list(t, f, fleet.Heartbeats{lives: time.Now()}).Instances); !slices.Contains(listed, lives) {
				t.Errorf("listed %v without %s, which lives", listed, lives)
			}
		})
	}
}

func TestEndedInstanceDoesNotCountThoughEC2ShowsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	launched := mustGrow(t, f, 2)
	awaitState(t, f, fleet.StateRunning)
	w.Put(t, faults.Fault{Kind: faults.Frozen})
	if _, err := f.Terminate(t.Context(), lease(1), launched[0]); err != nil {
		t.Fatal(err)
	}
	if listed := ids(list(t, f, nil).Instances); !slices.Equal(listed, launched[1:]) {
		t.Errorf("listed %v, want %v", listed, launched[1:])
	}
	more := mustGrow(t, f, 1)
	if listed := ids(list(t, f, nil).Instances); len(listed) != 2 || !slices.Contains(listed, more[0]) {
		t.Errorf("listed %v, want %s and %s", listed, launched[1], more[0])
	}
}

func TestNoCapacityInOneZone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Capacity, Zones: []string{zoneA}})
	mustGrow(t, f, 3)
	for _, i := range list(t, f, nil).Instances {
		if i.Zone != zoneB || i.Type != "local.quarter" {
			t.Errorf("instance %+v", i)
		}
	}
	mustGrow(t, f, 1) // zone A is set aside: nothing is asked for there
	if got := w.launches(t); got[jobstore.LaunchFailed] != 1 {
		t.Errorf("launches %v, want one that failed", got)
	}
}

func TestNoCapacityOfTheCheapestType(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Capacity, Types: []string{"local.quarter"}})
	mustGrow(t, f, 2)
	for _, i := range list(t, f, nil).Instances {
		if i.Type != "local.half" {
			t.Errorf("instance %+v", i)
		}
	}
}

func TestNoCapacityAtAll(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t, func(c *fleet.Config) { c.Penalty = time.Second })
	w.Put(t, faults.Fault{Kind: faults.Capacity, Left: 2}) // of all: the third cannot be had
	g, err := f.Grow(t.Context(), lease(1), 5)
	wantError(t, err, fleet.ErrNoCapacity)
	if g.Count() != 2 || len(w.up(t)) != 2 {
		t.Errorf("grew by %+v, up are %v, want two", g, w.up(t))
	}
	w.ClearFaults(t)
	eventually(t, "what was set aside is asked for again", func() bool {
		g, err := f.Grow(t.Context(), lease(1), 1)
		return err == nil && g.Count() == 1
	})
}

func TestNoCapacityForAStoppedInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	first := mustGrow(t, f, 1)
	awaitState(t, f, fleet.StateRunning)
	if _, err := f.Stop(t.Context(), lease(1), first...); err != nil {
		t.Fatal(err)
	}
	awaitState(t, f, fleet.StateStopped)
	w.Put(t, faults.Fault{Kind: faults.Capacity, Zones: []string{zoneA}})
	g, err := f.Grow(t.Context(), lease(2), 1)
	if err != nil || len(g.Started) != 0 || len(g.Launched) != 1 {
		t.Fatalf("grew by %+v, %v", g, err)
	}
}

func TestAtTheAccountsLimitNothingMoreIsAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	w.Put(t, faults.Fault{Kind: faults.Error, Code: "VcpuLimitExceeded", Status: 400, Operations: []string{"RunInstances"}})
	for range 3 {
		_, err := f.Grow(t.Context(), lease(1), 1)
		wantError(t, err, fleet.ErrLimit)
	}
	if got := w.launches(t); got[jobstore.LaunchFailed] != 1 {
		t.Errorf("launches %v, want the first only", got)
	}
}

func TestEmptyListIsNoEmptyFleet(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t)
	list(t, f, fleet.Heartbeats{}) // an empty fleet is one
	mustGrow(t, f, 1)
	awaitState(t, f, fleet.StateRunning)
	w.Put(t, faults.Fault{Kind: faults.Empty})
	_, err := f.Instances(t.Context(), nil)
	wantError(t, err, fleet.ErrEmptyList)
	_, err = w.open(t).Instances(t.Context(), fleet.Heartbeats{"i-1": time.Now()})
	wantError(t, err, fleet.ErrEmptyList)
	w.ClearFaults(t)
	list(t, f, nil)
}

func TestBootsThatNeverSucceedSuspendLaunching(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t, func(c *fleet.Config) { c.BootDeadline = 2 * time.Second })
	w.Put(t, faults.Fault{Kind: faults.NeverBoots})
	mustGrow(t, f, 3)
	eventually(t, "all three are overdue", func() bool {
		return 3 == count(list(t, f, fleet.Heartbeats{}).Instances, func(i fleet.Instance) bool { return i.Health == fleet.HealthOverdue })
	})
	_, err := f.Grow(t.Context(), lease(1), 3)
	wantError(t, err, fleet.ErrBootsFail)
	if up := w.up(t); len(up) != 3 {
		t.Errorf("up are %v, want three", up)
	}
}

func TestTrialIsNotSpentOnALaunchThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t, func(c *fleet.Config) {
		c.BootDeadline, c.BreakerPause, c.Penalty = 2*time.Second, 3*time.Second, time.Nanosecond
	})
	w.Put(t, faults.Fault{Kind: faults.NeverBoots})
	mustGrow(t, f, 3)
	eventually(t, "all three are overdue", func() bool {
		return 3 == count(list(t, f, fleet.Heartbeats{}).Instances, func(i fleet.Instance) bool { return i.Health == fleet.HealthOverdue })
	})
	w.Put(t, faults.Fault{Kind: faults.Capacity})
	eventually(t, "one is tried, and there is none left", func() bool {
		_, err := f.Grow(t.Context(), lease(1), 2)
		return errors.Is(err, fleet.ErrNoCapacity)
	})
	w.ClearFaults(t)
	if g, err := f.Grow(t.Context(), lease(1), 2); g.Count() != 1 || !errors.Is(err, fleet.ErrBootsFail) {
		t.Errorf("grew by %+v, %v, want the one that is tried", g, err)
	}
}

func TestDeletedTargetGroupHidesNoInstance(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.TargetGroup = w.group(t)
	f := w.open(t)
	id := mustGrow(t, f, 1)[0]
	w.LoseTargetGroup(t, "workers")
	l := list(t, f, nil)
	wantError(t, l.Targets, fleet.ErrNoTargetGroup)
	if len(l.Instances) != 1 || l.Instances[0].Target.State != fleet.TargetUnknown {
		t.Errorf("listed %+v", l.Instances)
	}
	wantError(t, f.Register(t.Context(), lease(1), id), fleet.ErrNoTargetGroup)
	if _, err := f.Terminate(t.Context(), lease(1), id); err != nil {
		t.Errorf("ending it all the same: %v", err)
	}
}

func TestUnknownTypeIsNamedAndPassedOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t, func(c *fleet.Config) { c.Types = []string{"c7i.enormous", "local.quarter"} })
	mustGrow(t, f, 1)
	f = w.open(t, func(c *fleet.Config) { c.Types = []string{"c7i.enormous"} })
	_, err := f.Grow(t.Context(), lease(2), 1)
	wantError(t, err, fleet.ErrRefused)
	if err != nil && !strings.Contains(err.Error(), "c7i.enormous") {
		t.Errorf("the error does not name the type: %v", err)
	}
}

func TestUserDataThatIsTooLargeLaunchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	w.config.UserData = strings.Repeat("x", 16<<10+1)
	if err := w.config.Validate(); err == nil {
		t.Error("the settings are valid")
	}
}

func TestDanglingInstanceIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, awstest.Options{})
	f := w.open(t, func(c *fleet.Config) { c.Silence = time.Second })
	two := mustGrow(t, f, 2)
	awaitState(t, f, fleet.StateRunning)
	alive := fleet.Heartbeats{two[0]: time.Now(), two[1]: time.Now()}
	if ready := count(list(t, f, alive).Instances, func(i fleet.Instance) bool { return i.Health == fleet.HealthReady }); ready != 2 {
		t.Errorf("%d are ready, want 2", ready)
	}
	eventually(t, "the one without a heartbeat is dangling", func() bool {
		dangling := slices.DeleteFunc(list(t, f, fleet.Heartbeats{two[0]: time.Now()}).Instances,
			func(i fleet.Instance) bool { return i.Health != fleet.HealthDangling })
		return slices.Equal(ids(dangling), two[1:])
	})
}
