package decide_test

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// TestDecideIsPure: the same three give the same decision, and the history that went
// in can be used again.
func TestDecideIsPure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slots(2.5)
	w.run(300)
	before, err := json.Marshal(w.history)
	if err != nil {
		t.Fatal(err)
	}
	w.at = w.at.Add(time.Second)
	w.accepted += 400
	o := w.see()
	first, firstHistory := decide.Decide(o, w.policy, w.history)
	second, secondHistory := decide.Decide(o, w.policy, w.history)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("decisions differ:\n%+v\n%+v", first, second)
	}
	if !reflect.DeepEqual(firstHistory, secondHistory) {
		t.Error("the histories that came out differ")
	}
	after, err := json.Marshal(w.history)
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) {
		t.Error("the history that went in was changed")
	}
}

// TestHistorySurvivesARestart: a scaler that reads its history back decides as one
// that never stopped.
func TestHistorySurvivesARestart(t *testing.T) {
	t.Parallel()
	kept, restarted := newWorld(t), newWorld(t)
	random := rand.New(rand.NewPCG(1, 2))
	for second := range 1500 {
		load := 1 + 4*random.Float64()*float64(second/300%2)
		kept.slots(load)
		restarted.slots(load)
		if second%100 == 99 {
			text, err := json.Marshal(restarted.history)
			if err != nil {
				t.Fatal(err)
			}
			restarted.history = decide.History{}
			if err := json.Unmarshal(text, &restarted.history); err != nil {
				t.Fatal(err)
			}
		}
		a, b := kept.tick(), restarted.tick()
		if !reflect.DeepEqual(a, b) {
			t.Fatalf("after %d s:\n%+v\n%+v", second, a, b)
		}
	}
}

func TestHistoryOfAnotherFormatIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"format":2}`, `{}`, `[]`, `{"format":1,"wait":{"parade":{"shadows":[{}],"best":7}}}`,
		`{"format":1,"wait":{"calendar":{"needs":[1,2]}}}`,
	} {
		var h decide.History
		if err := json.Unmarshal([]byte(text), &h); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

// TestSteadyLoadIsASteadyFleet: after the first settling nothing is done for an hour,
// whatever the policy, and whatever the size of the load.
func TestSteadyLoadIsASteadyFleet(t *testing.T) {
	t.Parallel()
	for _, kind := range []decide.Kind{decide.TargetWait, decide.CPURatio, decide.Manual} {
		for _, load := range []float64{0, 0.4, 1, 2.2, 4.1, 6.4} {
			t.Run(string(kind), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t)
				w.policy.Kind = kind
				w.policy.Manual.Size = 3
				w.slots(load)
				w.run(3600)
				settled := w.size()
				for second := range 3600 {
					if d := w.tick(); d.Target != settled {
						t.Fatalf("at a load of %g slots, %d s after settling on %d: %s", load, second, settled, d.Reason)
					}
				}
			})
		}
	}
}

// TestJumpIsAnsweredAtOnce: capacity is ordered in the second in which the load jumps,
// and the reason says so.
func TestJumpIsAnsweredAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.slots(1)
	w.run(2400)
	before := w.size()
	w.slots(6)
	d := w.tick()
	if d.Target <= before || d.Decided != decide.WantSurge {
		t.Errorf("target %d after %d: %s", d.Target, before, d.Reason)
	}
	if d.Wanted < d.Target || d.Clamped != 8 || !strings.Contains(d.Reason, "jumped") {
		t.Errorf("wanted %d, clamped %d, target %d: %s", d.Wanted, d.Clamped, d.Target, d.Reason)
	}
}

// TestJumpIsOrderedForAsItIs: once it is no luck any more, as much is ordered as what came
// would need, not as little as it may have been.
func TestJumpIsOrderedForAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.boot = 25 * time.Second
	w.slots(0.2)
	w.run(2400)
	w.slots(2.5)
	if d := w.tick(); d.Target < 5 { // 1.35 slots over two seconds, for 36 s, to be worked off in 10
		t.Errorf("target %d a second after a jump from 0.2 to 2.5 slots: %s", d.Target, d.Reason)
	}
}

// TestLoadThatRecursIsForeseen: after three visits of the same minute, the fleet is
// there before the fourth.
func TestLoadThatRecursIsForeseen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const period = 37 * 60
	for second := range 5 * period {
		w.slots(0.8)
		if second%period >= 1200 && second%period < 1500 {
			w.slots(6)
		}
		w.tick()
		if second == 4*period+1199 && w.ready < 5 {
			t.Errorf("%d instances are ready a second before the fifth burst", w.ready)
		}
	}
}

// TestBurstThatDoesNotComeIsNotWaitedFor: the fleet is there for it, and leaves long before
// the burst would have ended.
func TestBurstThatDoesNotComeIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const period, begin, length = 60 * 60, 1200, 1500
	for second := range 6 * period {
		w.slots(0.8)
		in := second%period - begin
		if in >= 0 && in < length && second < 5*period {
			w.slots(6)
		}
		w.tick()
		if second == 5*period+begin-1 && w.ready < 5 {
			t.Errorf("%d instances are ready a second before the sixth burst", w.ready)
		}
		if second == 5*period+begin+600 && w.size() > 2 {
			t.Errorf("%d instances are there ten minutes after it did not come", w.size())
		}
	}
}

// TestStepOfTheClockForgetsNoPeriod: a clock that is put right by some seconds, over the
// edge of a minute, costs nothing of what was learned.
func TestStepOfTheClockForgetsNoPeriod(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const period = 37 * 60
	for second := range 5 * period {
		w.slots(0.8)
		if second%period >= 1200 && second%period < 1500 {
			w.slots(6)
		}
		if second == 4*period+600 {
			w.at = w.at.Truncate(time.Minute).Add(-3 * time.Second)
		}
		w.tick()
		if second == 4*period+1203 && w.ready < 5 { // by the clock, its minute has begun now
			t.Errorf("%d instances are ready as the fifth burst begins", w.ready)
		}
	}
}

// TestSlotsAreTheUnit: instances are as many as it takes to have the slots.
func TestSlotsAreTheUnit(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.SlotsPerInstance = 4
	w.policy.Max = 10
	w.slots(9.5)
	d := w.run(3600)
	if d.Target != 3 {
		t.Errorf("9.5 busy slots got %d instances of 4: %s", d.Target, d.Reason)
	}
}

// TestMemoryIsFlat: what is remembered does not grow with time.
func TestMemoryIsFlat(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	random := rand.New(rand.NewPCG(3, 4))
	size := func() int {
		text, err := json.Marshal(w.history)
		if err != nil {
			t.Fatal(err)
		}
		return len(text)
	}
	largest := 0
	for second := range 4 * 3600 {
		w.slots(8 * random.Float64())
		w.tick()
		if second == 3600 {
			largest = size()
		}
	}
	if now := size(); now > largest+largest/4 || now > 500_000 {
		t.Errorf("the history has %d bytes after four hours, %d after one", now, largest)
	}
}

// BenchmarkDecide is one tick over 10,000 workers with a million photos waiting; the
// goal is 50 ms.
func BenchmarkDecide(b *testing.B) {
	p := decide.DefaultPolicy()
	p.Max, p.SlotsPerInstance = 10_000, 4
	known := func(value float64) decide.Reading { return decide.Reading{Value: value, Known: true} }
	o := decide.Observation{
		At: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC), Leader: "n1",
		Waiting: known(1_000_000), InFlight: known(36_000), Finished: known(0), Worked: known(0), Accepted: known(0),
		Fleet: decide.Fleet{Known: true, Ready: 9000, Reporting: 9000, Starting: make([]time.Duration, 1000)},
	}
	var h decide.History
	random := rand.New(rand.NewPCG(5, 6))
	tick := func() {
		o.At = o.At.Add(time.Second)
		done := 250_000 + 50_000*random.Float64()
		o.Accepted.Value += done
		o.Finished.Value += done
		o.Worked.Value += done * 0.12
		_, h = decide.Decide(o, p, h)
	}
	for range 600 {
		tick()
	}
	b.ReportAllocs()
	for b.Loop() {
		tick()
	}
	var stats runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&stats)
	b.ReportMetric(float64(stats.HeapAlloc)/1e6, "MB-held")
}
