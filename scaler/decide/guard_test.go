package decide_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// TestBadReadingsHoldTheFleet: whatever is wrong with the readings, the fleet stays as
// it is, the decision says that it is blind, and sight comes back with good readings.
// In each case the load has ended, so that a scaler that trusted what it sees would
// shrink.
func TestBadReadingsHoldTheFleet(t *testing.T) {
	t.Parallel()
	stale := 40 * time.Second
	cases := []struct {
		name  string
		says  string
		kind  decide.Kind
		spoil func(*decide.Observation)
	}{
		{"the count of arrivals is stale", "accepted photos is 40 s old", decide.TargetWait, func(o *decide.Observation) { o.Accepted.Age = stale }},
		{"the depth is missing", "waiting photos is not known", decide.TargetWait, func(o *decide.Observation) { o.Waiting.Known = false }},
		{"what is in flight is missing", "in flight is not known", decide.TargetWait, func(o *decide.Observation) { o.InFlight = decide.Reading{} }},
		{"the depth is no number", "waiting photos is NaN", decide.TargetWait, func(o *decide.Observation) { o.Waiting.Value = math.NaN() }},
		{"the depth is negative", "waiting photos is -1", decide.TargetWait, func(o *decide.Observation) { o.Waiting.Value = -1 }},
		{"the CPU is missing", "CPU is not known", decide.CPURatio, func(o *decide.Observation) { o.CPU.Known = false }},
		{"the CPU is stale", "CPU is 400 s old", decide.CPURatio, func(o *decide.Observation) { o.CPU.Age = 400 * time.Second }},
		{"the list of instances is missing", "list of instances is not known", decide.Manual, func(o *decide.Observation) { o.Fleet.Known = false }},
		{"the list of instances is stale", "list of instances is 40 s old", decide.TargetWait, func(o *decide.Observation) { o.Fleet.Age = stale }},
		{"the list of instances is empty", "list of instances is empty, 8 were there", decide.TargetWait, func(o *decide.Observation) { o.Fleet = decide.Fleet{Known: true, Reporting: 8} }},
		{"the list lacks most", "the list has 2 instances, 8 report", decide.TargetWait, func(o *decide.Observation) { o.Fleet.Ready = 2 }},
		{"workers do not report", "5 of 8 ready instances report", decide.TargetWait, func(o *decide.Observation) { o.Fleet.Reporting = 5 }},
		{"nobody asks for photos", "nobody asks for them", decide.TargetWait, func(o *decide.Observation) {
			o.Asking, o.Waiting.Value, o.InFlight.Value = decide.Reading{Known: true}, 5, 0
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy.Kind, w.policy.Manual.Size = c.kind, 8
			w.slots(7)
			w.run(3600)
			if w.ready != 8 {
				t.Fatalf("%d instances are ready", w.ready)
			}
			w.slots(0)
			w.policy.Manual.Size = 1
			w.spoil = c.spoil
			for range 900 {
				d := w.tick()
				if w.size() != 8 || d.Target != 8 {
					t.Fatalf("the fleet has %d, the target is %d: %s", w.size(), d.Target, d.Reason)
				}
				if said := strings.Join(d.Blind, " "); d.Target < d.Wanted || (len(d.Blind) > 0 && !strings.Contains(said, c.says)) {
					t.Fatalf("blind for %q, want %q: %s", said, c.says, d.Reason)
				}
			}
			if d := w.tick(); len(d.Blind) == 0 {
				t.Errorf("not blind: %s", d.Reason)
			}
			w.spoil = nil
			w.run(1200)
			if w.size() >= 8 {
				t.Errorf("the fleet still has %d long after the readings are good again", w.size())
			}
		})
	}
}

// TestFleetThatIsReallyGoneIsReplaced: nobody reports and the list stays empty, so it
// is true.
func TestFleetThatIsReallyGoneIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slots(3)
	w.run(3600)
	w.ready, w.starting = 0, nil
	for second := range 100 {
		if d := w.tick(); w.size() != 0 {
			t.Fatalf("launched after %d s: %s", second, d.Reason)
		}
	}
	w.run(60)
	if w.size() == 0 {
		t.Error("nothing was launched")
	}
}

// TestFleetThatLeavesIsNoEmptyList: an instance that drains is listed, so that a list
// without any other is believed at once, and the pin of a person followed.
func TestFleetThatLeavesIsNoEmptyList(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.Kind, w.policy.Manual.Size = decide.Manual, 1
	w.run(600)
	w.ready = 0
	w.policy.Manual.Size = 2
	w.spoil = func(o *decide.Observation) { o.Fleet.Others = 1 }
	if d := w.tick(); d.Target != 2 || len(d.Blind) > 0 {
		t.Errorf("the target is %d: %s", d.Target, d.Reason)
	}
}

// TestLeapNeedsASecondReading: a depth a thousand times higher, which a restarted
// broker may report for a moment, launches nothing until it is seen again.
func TestLeapNeedsASecondReading(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slots(1.5)
	w.run(3600)
	size := w.size()
	w.spoil = func(o *decide.Observation) { o.Waiting.Value = 4_000_000 }
	if d := w.tick(); d.Target != size || len(d.Blind) == 0 {
		t.Errorf("one reading made it %d: %s", d.Target, d.Reason)
	}
	w.spoil = nil
	if d := w.tick(); d.Target != size || len(d.Blind) != 0 {
		t.Errorf("once the leap is gone: %s", d.Reason)
	}
	w.spoil = func(o *decide.Observation) { o.Waiting.Value = 4_000_000 }
	w.tick()
	if d := w.tick(); d.Target != 8 {
		t.Errorf("two readings made it %d: %s", d.Target, d.Reason)
	}
}

// TestChangeOfLeaderHoldsATick: the first answer of another server may be a follower's.
func TestChangeOfLeaderHoldsATick(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slots(7)
	w.run(3600)
	w.slots(0)
	w.run(30)
	w.spoil = func(o *decide.Observation) { o.Leader = "n2" }
	if d := w.tick(); len(d.Blind) == 0 || !strings.Contains(d.Reason, "n2 answers") {
		t.Errorf("the change was not noticed: %s", d.Reason)
	}
	if d := w.tick(); len(d.Blind) != 0 {
		t.Errorf("still blind: %s", d.Reason)
	}
}

// TestClockThatJumps: back by an hour and ahead by two days, the fleet is held for a
// tick and goes on being sized afterwards.
func TestClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-time.Hour, -time.Second, time.Hour, 48 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.slots(6)
			w.run(3600)
			size := w.size()
			w.slots(0)
			w.at = w.at.Add(jump - time.Second)
			if d := w.tick(); d.Target != size || len(d.Blind) == 0 {
				t.Errorf("at the jump: %s", d.Reason)
			}
			for range 59 {
				if d := w.tick(); d.Target != size {
					t.Fatalf("within a boot of the jump: %s", d.Reason)
				}
			}
			w.run(1200)
			if w.size() >= size {
				t.Errorf("20 minutes later the fleet still has %d", w.size())
			}
		})
	}
}

// TestClockThatWentBackShrinksNobodyForABoot, whatever the policy, also if the scaler has
// been looking for long.
func TestClockThatWentBackShrinksNobodyForABoot(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-time.Second, -time.Hour} {
		w := newWorld(t)
		w.policy.Kind, w.policy.Manual.Size = decide.Manual, 6
		w.run(600)
		w.policy.Manual.Size = 2
		w.at = w.at.Add(jump - time.Second)
		for second := range 60 {
			if d := w.tick(); d.Target != 6 {
				t.Fatalf("%d s after a jump of %v: %s", second, jump, d.Reason)
			}
		}
		if d := w.run(10); d.Target != 2 {
			t.Errorf("after a boot: %s", d.Reason)
		}
	}
}

// TestNobodyIsBelievedWhereNobodyIsWanted: a fleet that a person has ended is not missed,
// and comes back as soon as that person says so.
func TestNobodyIsBelievedWhereNobodyIsWanted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.Kind, w.policy.Manual.Size = decide.Manual, 3
	w.run(300)
	w.policy.Overrides = []decide.Override{{Kind: decide.Pin, Size: 0, Who: "ann", Why: "the store moves"}}
	for range 5 {
		if d := w.tick(); len(d.Blind) > 0 || d.Target != 0 {
			t.Fatalf("pinned to nobody: %+v", d)
		}
	}
	w.policy.Overrides = nil
	if d := w.tick(); len(d.Blind) > 0 || d.Target != 3 {
		t.Errorf("released: %+v", d)
	}
}

// TestEmptyListIsDoubtedWhateverTheClockDoes: it takes two boots to believe an empty list
// of instances, and time that the clock or the scaler skipped is none.
func TestEmptyListIsDoubtedWhateverTheClockDoes(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{-time.Hour, -time.Second, time.Hour, 31 * time.Second, 2 * time.Minute} {
		for _, before := range []int{0, 30} {
			w := newWorld(t)
			w.policy.Kind, w.policy.Manual.Size = decide.Manual, 6
			w.run(600)
			size := w.ready
			w.spoil = func(o *decide.Observation) { o.Fleet = decide.Fleet{Known: true} }
			w.run(before)
			w.at = w.at.Add(jump)
			// After a gap the two boots begin anew; back by a jump they go on.
			for second := range 120 - before - 1 {
				if d := w.tick(); d.Size != size || d.Target != size {
					t.Fatalf("a jump of %v after %d s: %d s later %d of %d: %s", jump, before, second, d.Target, size, d.Reason)
				}
			}
		}
	}
}

// TestRestartDoesNotShrink: a scaler that has just begun to look, with or without a
// history, may grow the fleet but not shrink it.
func TestRestartDoesNotShrink(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.Kind, w.policy.Manual.Size = decide.Manual, 2
	w.ready = 7
	for second := range 60 {
		if d := w.tick(); d.Target != 7 {
			t.Fatalf("after %d s: %s", second, d.Reason)
		}
	}
	if d := w.run(10); d.Target != 2 {
		t.Errorf("after a boot: %s", d.Reason)
	}
}

// TestCountersThatBeginAnew: a negative rate is none.
func TestCountersThatBeginAnew(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slots(4)
	w.run(3600)
	size := w.size()
	w.accepted, w.finished, w.worked = 0, 0, 0
	if d := w.tick(); d.Target != size || len(d.Blind) == 0 {
		t.Errorf("at the new beginning: %s", d.Reason)
	}
	if d := w.run(2); len(d.Blind) != 0 || d.Target != size {
		t.Errorf("two ticks later: %s", d.Reason)
	}
}

// TestReadingsMayBeAsOldAsTheTicksAllow: there is one limit, three ticks or six
// seconds; what is young enough to be trusted is young enough to learn from.
func TestReadingsMayBeAsOldAsTheTicksAllow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		tick, age float64
		sees      bool
	}{{1, 5, true}, {1, 7, false}, {5, 14, true}, {5, 16, false}, {20, 50, true}, {20, 70, false}} {
		w := newWorld(t)
		w.policy.TickSeconds, w.every = c.tick, time.Duration(c.tick*float64(time.Second))
		w.spoil = func(o *decide.Observation) { o.Accepted.Age = time.Duration(c.age * float64(time.Second)) }
		if d := w.run(10); (len(d.Blind) == 0) != c.sees {
			t.Errorf("ticks of %g s, readings %g s old: %s", c.tick, c.age, d.Reason)
		}
	}
}

// TestCountersThatAreNoNumbers: what is unknown or absurd leaves nothing behind, neither
// as long as it lasts nor afterwards.
func TestCountersThatAreNoNumbers(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]decide.Reading{
		"unknown": {}, "NaN": {Value: math.NaN(), Known: true}, "negative": {Value: -5, Known: true},
		"infinite": {Value: math.Inf(1), Known: true}, "absurd": {Value: 1e300, Known: true},
	} {
		for counter, of := range map[string]func(o *decide.Observation) *decide.Reading{
			"accepted": func(o *decide.Observation) *decide.Reading { return &o.Accepted },
			"waiting":  func(o *decide.Observation) *decide.Reading { return &o.Waiting },
			"inflight": func(o *decide.Observation) *decide.Reading { return &o.InFlight },
			"finished": func(o *decide.Observation) *decide.Reading { return &o.Finished },
			"worked":   func(o *decide.Observation) *decide.Reading { return &o.Worked },
		} {
			for when, began := range map[string]int{"at first": 0, "later": 300} {
				t.Run(counter+" "+name+" "+when, func(t *testing.T) {
					t.Parallel()
					w := newWorld(t)
					w.service = 0.2 // not what the policy believes
					w.accepted, w.finished, w.worked = 9e6, 9e6, 9e6
					w.slots(2)
					w.run(began)
					w.spoil = func(o *decide.Observation) { *of(o) = bad }
					for range 90 {
						w.tick()
						if _, err := json.Marshal(w.history); err != nil {
							t.Fatal(err)
						}
					}
					w.spoil = nil
					d := w.run(60)
					if len(d.Blind) != 0 || d.Inputs.ServiceSeconds == nil || math.Abs(*d.Inputs.ServiceSeconds-w.service) > 0.02 {
						t.Errorf("a photo takes %g s; afterwards: %s; %s", w.service, d.Reason, inputs(t, d))
					}
				})
			}
		}
	}
}

func inputs(t *testing.T, d decide.Decision) string {
	t.Helper()
	text, err := json.Marshal(d.Inputs)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
