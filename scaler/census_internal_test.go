package scaler

import (
	"testing"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/scaler/decide"
)

// at is the moment of all tests of the census.
func at() time.Time { return time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC) }

func instance(id string, state fleet.State, health fleet.Health, target fleet.TargetState) fleet.Instance {
	return fleet.Instance{ID: id, Zone: "a", State: state, Health: health, LaunchedAt: at().Add(-time.Hour), Target: fleet.Target{State: target}}
}

func TestRoles(t *testing.T) {
	t.Parallel()
	retiring := map[string]jobstore.Retirement{"i": {Instance: "i"}}
	drained := jobqueue.Worker{ID: "w", Instance: "i", Draining: true, Drain: jobqueue.DrainCommand}
	for name, c := range map[string]struct {
		instance    fleet.Instance
		workers     []jobqueue.Worker
		retirements map[string]jobstore.Retirement
		want        role
	}{
		"works":                      {instance("i", fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy), []jobqueue.Worker{{ID: "w", Instance: "i"}}, nil, ready},
		"boots":                      {instance("i", fleet.StateRunning, fleet.HealthBooting, fleet.TargetNone), nil, nil, starting},
		"pending":                    {instance("i", fleet.StatePending, fleet.HealthUnknown, fleet.TargetNone), nil, nil, starting},
		"nobody knows who is alive":  {instance("i", fleet.StateRunning, fleet.HealthUnknown, fleet.TargetHealthy), nil, nil, ready},
		"did not boot":               {instance("i", fleet.StateRunning, fleet.HealthOverdue, fleet.TargetNone), nil, nil, failed},
		"fell silent":                {instance("i", fleet.StateRunning, fleet.HealthDangling, fleet.TargetUnhealthy), nil, nil, failed},
		"the only one, and answers":  {instance("i", fleet.StateRunning, fleet.HealthDangling, fleet.TargetHealthy), nil, nil, ready},
		"told by a person to drain":  {instance("i", fleet.StateRunning, fleet.HealthReady, fleet.TargetUnhealthy), []jobqueue.Worker{drained}, nil, draining},
		"its process restarts":       {instance("i", fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy), []jobqueue.Worker{{ID: "w", Instance: "i", Draining: true, Drain: jobqueue.DrainStopping}}, nil, ready},
		"retires":                    {instance("i", fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy), nil, retiring, draining},
		"retires and has not booted": {instance("i", fleet.StateRunning, fleet.HealthOverdue, fleet.TargetHealthy), nil, retiring, draining},
		"stopped":                    {instance("i", fleet.StateStopped, fleet.HealthUnknown, fleet.TargetNone), nil, nil, resting},
		"retires and is stopped":     {instance("i", fleet.StateStopping, fleet.HealthUnknown, fleet.TargetNone), nil, retiring, resting},
	} {
		c1 := takeCensus(fleet.Listing{At: at(), Instances: []fleet.Instance{c.instance}}, c.workers, c.retirements, unheard{})
		if got := c1.members[0].role; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestMostSilentTogether: then it is rather the broker's fault, for a while.
func TestMostSilentTogether(t *testing.T) {
	t.Parallel()
	silent := func(id string, target fleet.TargetState) fleet.Instance {
		return instance(id, fleet.StateRunning, fleet.HealthDangling, target)
	}
	all := fleet.Listing{At: at(), Instances: []fleet.Instance{
		silent("i-1", fleet.TargetHealthy), silent("i-2", fleet.TargetHealthy), silent("i-3", fleet.TargetUnhealthy),
		instance("i-4", fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy),
	}}
	since := map[string]time.Time{"i-1": at().Add(-10 * time.Second), "i-2": at().Add(-2 * disbelief), "i-3": at()}
	c := takeCensus(all, nil, nil, unheard{since: since})
	for n, want := range []role{ready, failed, failed, ready} { // believed; silent for long; the balancer says so, too; alive
		if got := c.members[n].role; got != want {
			t.Errorf("%s: %s, want %s", c.members[n].ID, got, want)
		}
	}
	if c.reporting != 1 || !c.doubted {
		t.Errorf("%d report, doubted %v", c.reporting, c.doubted)
	}
	early := takeCensus(all, nil, nil, unheard{since: since, early: true})
	if n := early.count(failed); n > 0 {
		t.Errorf("%d are given up by a scaler that has just begun", n)
	}
}

func TestVictims(t *testing.T) {
	t.Parallel()
	make1 := func(id, zone string, r role, age time.Duration, busy int, target fleet.TargetState, notice bool) member {
		m := member{Instance: fleet.Instance{ID: id, Zone: zone, LaunchedAt: at().Add(-age), Target: fleet.Target{State: target}}, role: r}
		w := jobqueue.Worker{ID: "w-" + id, Busy: busy}
		if notice {
			w.SpotNotice = &jobqueue.SpotNotice{}
		}
		m.workers = []jobqueue.Worker{w}
		return m
	}
	c := census{members: []member{
		make1("busy", "a", ready, time.Hour, 3, fleet.TargetHealthy, false),
		make1("less", "a", ready, time.Hour, 1, fleet.TargetHealthy, false),
		make1("idle-old", "a", ready, 2*time.Hour, 0, fleet.TargetHealthy, false),
		make1("idle-b", "b", ready, time.Hour, 0, fleet.TargetHealthy, false),
		make1("spot", "a", ready, time.Hour, 2, fleet.TargetHealthy, true),
		make1("ill", "b", ready, time.Hour, 2, fleet.TargetUnhealthy, false),
		make1("boots", "a", starting, 2*time.Minute, 0, fleet.TargetNone, false),
		make1("boots-young", "a", starting, time.Minute, 0, fleet.TargetNone, false),
		make1("new", "a", starting, time.Second, 0, fleet.TargetNone, false),
		make1("leaves", "a", draining, time.Hour, 0, fleet.TargetNone, false),
		make1("canary", "a", ready, 3*time.Hour, 0, fleet.TargetHealthy, false),
	}}
	c.spare("w-canary")
	want := []string{"boots-young", "boots", "ill", "spot", "idle-old", "idle-b", "less", "busy", "canary"}
	for n := range len(want) + 2 {
		picked := victims(c, n, at(), time.Minute)
		most := len(want) - 1
		if n >= c.size() { // all are to go
			most = len(want)
		}
		if len(picked) != min(n, most) {
			t.Fatalf("%d of %d picked", len(picked), n)
		}
		for i, m := range picked {
			if m.ID != want[i] {
				t.Errorf("of %d the one at %d is %s, want %s", n, i, m.ID, want[i])
			}
		}
	}
}

func TestTooYoung(t *testing.T) {
	t.Parallel()
	var c census
	for id, age := range map[string]time.Duration{"old": time.Hour, "a-minute": time.Minute, "canary": 50 * time.Second, "half": 30 * time.Second, "new": time.Second} {
		m := member{Instance: fleet.Instance{ID: id, LaunchedAt: at().Add(-age)}, workers: []jobqueue.Worker{{ID: id}}, role: ready}
		c.members = append(c.members, m)
	}
	c.members = append(c.members, member{Instance: fleet.Instance{LaunchedAt: at().Add(-2 * time.Hour)}, role: draining})
	c.spare("canary")
	for n, want := range map[int]young{
		-3: {}, 0: {}, 1: {}, 2: {},
		3: {1, at().Add(30 * time.Second)},
		4: {2, at().Add(59 * time.Second)},
		5: {3, at().Add(59 * time.Second)}, // with the canary
		9: {3, at().Add(59 * time.Second)},
	} {
		got := tooYoung(c, n, at(), time.Minute)
		if got.Young != want.Young || !got.YoungUntil.Equal(want.YoungUntil) {
			t.Errorf("%d too many: %+v, want %+v", n, got, want)
		}
		if gone := len(victims(c, n, at(), time.Minute)); n > 0 && gone+got.Young != min(n, c.size()) {
			t.Errorf("%d too many: %d go at once and %d later", n, gone, got.Young)
		}
	}
	early := at().Add(-2 * time.Hour) // EC2's clock is ahead
	if later := tooYoung(c, 3, early, 0); len(victims(c, 3, early, 0)) != 3 || later.Young != 0 {
		t.Errorf("nobody is to be of any age, and %d stay", later.Young)
	}
}

// TestLeastAge: a policy keeps what is paid for, also within a person's bounds; whoever
// pins a size wants it now.
func TestLeastAge(t *testing.T) {
	t.Parallel()
	c := Config{LeastAge: time.Minute}
	for kind, want := range map[decide.OverrideKind]time.Duration{decide.Pin: 0, decide.Freeze: time.Minute, decide.Bounds: time.Minute} {
		if got := c.leastAge(decide.Decision{Override: &decide.Override{Kind: kind}}); got != want {
			t.Errorf("%s: %s, want %s", kind, got, want)
		}
	}
	if got := c.leastAge(decide.Decision{}); got != time.Minute {
		t.Errorf("by the policy: %s", got)
	}
}

// TestVictimsKeepZonesEven: among those that are alike.
func TestVictimsKeepZonesEven(t *testing.T) {
	t.Parallel()
	var c census
	for n, zone := range []string{"a", "a", "a", "a", "b", "b", "c"} {
		m := member{Instance: instance(string(rune('p'+n)), fleet.StateRunning, fleet.HealthReady, fleet.TargetHealthy), role: ready}
		m.Zone = zone
		c.members = append(c.members, m)
	}
	var zones string
	for _, m := range victims(c, 4, at(), 0) {
		zones += m.Zone
	}
	if zones != "aaab" && zones != "aaba" {
		t.Errorf("taken from %s, want zones even", zones)
	}
}

func TestChores(t *testing.T) {
	t.Parallel()
	worker := func(draining bool, busy int) []jobqueue.Worker {
		return []jobqueue.Worker{{ID: "w", Instance: "i", Draining: draining, Busy: busy}}
	}
	young, old := at().Add(-time.Second), at().Add(-time.Hour)
	for name, c := range map[string]struct {
		state   fleet.State
		target  fleet.TargetState
		workers []jobqueue.Worker
		begun   time.Time
		final   bool
		want    chore
	}{
		"just begun":            {fleet.StateRunning, fleet.TargetHealthy, worker(false, 1), young, false, chore{drain: []string{"w"}, deregister: true}},
		"has a photo in hand":   {fleet.StateRunning, fleet.TargetNone, worker(true, 1), young, false, chore{}},
		"answers people":        {fleet.StateRunning, fleet.TargetDraining, worker(true, 0), young, false, chore{}},
		"balancer does not say": {fleet.StateRunning, fleet.TargetUnknown, worker(true, 0), young, false, chore{}},
		"done":                  {fleet.StateRunning, fleet.TargetNone, worker(true, 0), young, false, chore{end: true}},
		"has no worker":         {fleet.StateRunning, fleet.TargetNone, nil, young, false, chore{end: true}},
		"takes too long":        {fleet.StateRunning, fleet.TargetDraining, worker(true, 1), old, false, chore{end: true}},
		"is stopping":           {fleet.StateStopping, fleet.TargetNone, nil, young, false, chore{forget: true}},
		"is stopped and kept":   {fleet.StateStopped, fleet.TargetNone, nil, young, false, chore{forget: true}},
		"is stopped, for good":  {fleet.StateStopped, fleet.TargetNone, nil, young, true, chore{end: true}},
	} {
		m := member{Instance: instance("i", c.state, fleet.HealthReady, c.target), workers: c.workers, retirement: &jobstore.Retirement{BegunAt: c.begun, Final: c.final}}
		got := nextChore(m, at(), 10*time.Minute)
		if len(got.drain) != len(c.want.drain) || got.deregister != c.want.deregister || got.end != c.want.end || got.forget != c.want.forget {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestCounters(t *testing.T) {
	t.Parallel()
	c := newCounters()
	reading := func(worker string, start, heard int, jobs int64) jobqueue.WorkerReading {
		r := jobqueue.WorkerReading{Worker: worker, StartedAt: at().Add(time.Duration(start) * time.Second), Jobs: jobs, BusySeconds: float64(jobs) / 10}
		r.At = at().Add(time.Duration(heard) * time.Second)
		return r
	}
	c.hear([]jobqueue.WorkerReading{reading("a", 0, 10, 100), reading("a", 0, 15, 110)})
	if c.finished != 10 {
		t.Errorf("got %g, want what was done since the first reading: 10", c.finished)
	}
	c.hear([]jobqueue.WorkerReading{reading("a", 0, 10, 100), reading("a", 0, 15, 110), reading("a", 20, 25, 7), reading("b", 0, 25, 1000)})
	if c.finished != 17 {
		t.Errorf("got %g, want 7 more of a process begun anew, and none of a stranger: 17", c.finished)
	}
	c.hear([]jobqueue.WorkerReading{reading("b", 0, 20, 900), reading("b", 0, 30, 1001)})
	if c.finished != 18 || c.worked < 1.79 || c.worked > 1.81 {
		t.Errorf("got %g and %g s, want one more", c.finished, c.worked)
	}
}

// TestRecalls: whoever began to leave last, of those that may stay.
func TestRecalls(t *testing.T) {
	t.Parallel()
	var c census
	for _, l := range []struct {
		id    string
		begun int
		final bool
	}{{"last", 30, false}, {"first", 10, false}, {"final", 40, true}, {"second", 20, false}} {
		m := member{Instance: instance(l.id, fleet.StateRunning, fleet.HealthReady, fleet.TargetNone), role: draining}
		m.workers = []jobqueue.Worker{{ID: "w-" + l.id}}
		m.retirement = &jobstore.Retirement{Final: l.final, BegunAt: at().Add(time.Duration(l.begun) * time.Second)}
		c.members = append(c.members, m)
	}
	for n, want := range [][]string{{}, {"last"}, {"last", "second"}, {"last", "second", "first"}, {"last", "second", "first"}} {
		picked := recalls(c, n)
		if len(picked) != len(want) {
			t.Fatalf("%d of %d picked, want %d", len(picked), n, len(want))
		}
		for i, m := range picked {
			if m.ID != want[i] {
				t.Errorf("of %d the one at %d is %s, want %s", n, i, m.ID, want[i])
			}
		}
	}
	if picked := recalls(c, -1); len(picked) != 0 {
		t.Errorf("%d picked where none is missing", len(picked))
	}
}
