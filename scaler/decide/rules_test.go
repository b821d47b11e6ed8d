package decide_test

import (
	"strings"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// TestCPURatio is the ancestor's rule, case by case.
func TestCPURatio(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name            string
		cpu             float64
		ready, starting int
		grow, expand    float64
		shrink, keep    float64
		want            int
	}{
		{"above: times the ratio, rounded up", 0.8, 3, 0, 0.7, 1.5, 0.3, 0.5, 5},
		{"above: by one at least", 0.8, 1, 0, 0.7, 1.1, 0.3, 0.5, 2},
		{"those that start count", 0.8, 2, 1, 0.7, 2, 0.3, 0.5, 6},
		{"above: clamped, not refused", 0.8, 6, 0, 0.7, 2, 0.3, 0.5, 8},
		{"at the maximum: stays", 0.9, 8, 0, 0.7, 2, 0.3, 0.5, 8},
		{"below: the fraction, rounded down", 0.1, 5, 0, 0.7, 2, 0.3, 0.5, 2},
		{"below: by one at least", 0.1, 5, 0, 0.7, 1.1, 0.3, 0.95, 4},
		{"below: clamped to the minimum", 0.1, 1, 0, 0.7, 2, 0.3, 0.5, 1},
		{"between: stays", 0.5, 4, 0, 0.7, 2, 0.3, 0.5, 4},
		{"at the grow threshold: stays", 0.7, 4, 0, 0.7, 2, 0.3, 0.5, 4},
		{"at the shrink threshold: stays", 0.3, 4, 0, 0.7, 2, 0.3, 0.5, 4},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy.Kind = decide.CPURatio
			w.policy.Ratio = decide.Ratio{GrowAbove: c.grow, ShrinkBelow: c.shrink, Expand: c.expand, Keep: c.keep}
			if err := w.policy.Validate(); err != nil {
				t.Fatal(err)
			}
			w.ready = c.ready
			w.boot = time.Hour
			for range c.starting {
				w.starting = append(w.starting, 0)
			}
			w.spoil = func(o *decide.Observation) { o.CPU.Value = 0.5; o.Boot = time.Second }
			w.run(70)
			w.spoil = func(o *decide.Observation) { o.CPU.Value = c.cpu; o.Boot = time.Second }
			var first decide.Decision
			for range 60 { // it looks once a minute
				if first = w.tick(); first.Target != c.ready+c.starting {
					break
				}
			}
			if first.Target != c.want {
				t.Errorf("got %d, want %d: %s", first.Target, c.want, first.Reason)
			}
		})
	}
}

// TestCPURatioLooksOnceAMinute: what it sees lasts two minutes, so it would otherwise
// answer the same load many times.
func TestCPURatioLooksOnceAMinute(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.Kind, w.policy.Max = decide.CPURatio, 10_000
	w.spoil = func(o *decide.Observation) { o.CPU.Value = 0.9 }
	actions := 0
	for range 601 {
		before := w.size()
		if w.tick(); w.size() != before {
			actions++
		}
	}
	if actions != 10 {
		t.Errorf("it acted %d times in ten minutes", actions)
	}
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	at := newWorld(t).at
	soon, past := at.Add(time.Hour), at.Add(-time.Hour)
	person := func(o decide.Override) decide.Override {
		o.Who, o.Why = "ann", "a demo"
		return o
	}
	pin := person(decide.Override{Kind: decide.Pin, Size: 20, Until: soon})
	cases := []struct {
		name string
		list []decide.Override
		want int
		says string
	}{
		{"none", nil, 3, ""},
		{"a pin leaves the bounds", []decide.Override{pin}, 20, "pin by ann (a demo) until"},
		{"a pin to nothing", []decide.Override{person(decide.Override{Kind: decide.Pin})}, 0, "until released"},
		{"a pin that is over", []decide.Override{person(decide.Override{Kind: decide.Pin, Size: 20, Until: past})}, 3, ""},
		{"a freeze", []decide.Override{person(decide.Override{Kind: decide.Freeze, Until: soon})}, 5, "freeze by ann"},
		{"bounds", []decide.Override{person(decide.Override{Kind: decide.Bounds, Min: 4, Max: 6})}, 4, "bounds by ann"},
		{"a pin is stronger than a freeze", []decide.Override{pin, person(decide.Override{Kind: decide.Freeze})}, 20, "pin"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy.Kind, w.policy.Manual.Size = decide.Manual, 5
			w.run(200)
			w.policy.Manual.Size, w.policy.Overrides = 3, c.list
			if err := w.policy.Validate(); err != nil {
				t.Fatal(err)
			}
			d := w.tick()
			if d.Target != c.want || !strings.Contains(d.Reason, c.says) {
				t.Errorf("got %d: %s; want %d and %q", d.Target, d.Reason, c.want, c.says)
			}
			if d.Wanted != 3 {
				t.Errorf("what the policy wanted is not shown: %d", d.Wanted)
			}
		})
	}
}

// TestPinHoldsWhileBlind: a person's number needs no queue, only the list of instances.
func TestPinHoldsWhileBlind(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.run(200)
	w.policy.Overrides = []decide.Override{{Kind: decide.Pin, Size: 4, Who: "ann", Why: "the broker is away"}}
	w.spoil = func(o *decide.Observation) { o.Waiting.Known = false }
	if d := w.tick(); d.Target != 4 || len(d.Blind) == 0 {
		t.Errorf("without the queue: %s", d.Reason)
	}
	w.spoil = func(o *decide.Observation) { o.Fleet = decide.Fleet{} }
	if d := w.tick(); d.Target != d.Size {
		t.Errorf("without the list of instances: %s", d.Reason)
	}
}

func TestSchedules(t *testing.T) {
	t.Parallel()
	nights := decide.Schedule{Name: "nights", Days: []string{"mon"}, From: "22:00", To: "06:00", Min: 4}
	monday := time.Date(2026, time.March, 2, 0, 0, 0, 0, time.UTC)
	cases := []struct {
		name string
		at   time.Time
		want int
	}{
		{"long before", monday.Add(12 * time.Hour), 1},
		{"a boot before", monday.Add(22*time.Hour - 30*time.Second), 4},
		{"within", monday.Add(23 * time.Hour), 4},
		{"after midnight", monday.Add(29 * time.Hour), 4},
		{"at the end", monday.Add(30 * time.Hour), 1},
		{"on another day", monday.Add(47 * time.Hour), 1},
		{"in the morning of its own day", monday.Add(5 * time.Hour), 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy.Kind, w.policy.Manual.Size = decide.Manual, 1
			w.policy.Schedules = []decide.Schedule{nights}
			w.at = c.at.Add(-63 * time.Second)
			w.policy.Max = 4
			w.ready = 4
			if d := w.run(63); d.Target != c.want {
				t.Errorf("at %s: %s; want %d", c.at.Format(time.RFC1123), d.Reason, c.want)
			}
		})
	}
}

// TestNoReserveWhereABootIsQuick: where more boots within the target nobody who comes in
// a jump is late, so an idle fleet is the smallest from the first moment.
func TestNoReserveWhereABootIsQuick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.boot = 5 * time.Second
	w.run(3)
	if d := w.tick(); d.Target != 1 {
		t.Errorf("idle: %d, want 1: %s", d.Target, d.Reason)
	}
}

// TestSettingNamesTheReserveThatStands: where boots are quicker than the target nobody
// needs one, and none is told of.
func TestSettingNamesTheReserveThatStands(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.boot, w.perTick = 4*time.Second, 2
	if d := w.run(60); !strings.Contains(d.Inputs.Setting, "reserve of 0 slots") {
		t.Errorf("it says %q", d.Inputs.Setting)
	}
}

// TestMinimumIsNoWant: when a minimum ends, nothing of it is held.
func TestMinimumIsNoWant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.boot, w.perTick = 4*time.Second, 2
	w.run(3600) // no newcomer any more
	w.policy.Min = 3
	if d := w.run(30); d.Target != 3 || d.Wanted != 1 {
		t.Fatalf("with a minimum of three: %d, wanted %d", d.Target, d.Wanted)
	}
	w.policy.Min = 1
	if d := w.tick(); d.Target != 1 || d.Decided == decide.WantHold {
		t.Errorf("without it: %s", d.Reason)
	}
}
