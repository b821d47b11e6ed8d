package decide

import (
	"strings"
	"testing"
	"time"
)

// TestAShorterHoldIsTold: whoever read that what the load needed is held for eight
// minutes is told why it is let go after five and a half.
func TestAShorterHoldIsTold(t *testing.T) {
	t.Parallel()
	tuning := productTuning()
	s := setting{headroom: tuning.headrooms[0], hold: 8}
	w := waitMemory{Rates: make([]highest, len(tuning.headrooms))}
	rates := w.longHeld(s, &tuning)
	rates.Entries = []stamped{{At: 1000, Value: 8}, {At: 1300, Value: 2}}
	m := &moment{step: 2, least: 2, most: 100, boot: 60, service: 0.1, level: 1}
	say := func(now, seconds float64) string {
		m.now = now
		w.Hold.note(m.now, seconds, 8, rates)
		m.needs = []float64{rates.since(now - seconds).Value}
		size := m.size(s, 2, m.need(0), &w.Recent)
		for _, want := range w.explain(m, Observation{}, wants{rate: 2}, s, size, &tuning) {
			return want.Why
		}
		return ""
	}
	if got := say(1333, 480); got != "the load needed so many 333 s ago, and that is held for 480 s at present" {
		t.Errorf("held, it says %q", got)
	}
	want := "; 4 were needed 334 s ago, which counted for 480 s and counts for 120 s now, because that would have been cheaper of late"
	if got := say(1334, 120); !strings.HasSuffix(got, want) {
		t.Errorf("let go, it says %q", got)
	}
	if got := say(1340, 120); !strings.Contains(got, "4 were needed 340 s ago") {
		t.Errorf("a moment later it says %q", got)
	}
	if got := say(1500, 120); strings.Contains(got, "were needed") {
		t.Errorf("long after it says %q", got)
	}
	// Nothing that was held is let go: nothing is told.
	w.Hold = hold{Seconds: 480}
	rates.Entries = []stamped{{At: 1490, Value: 8}}
	if got := say(1501, 120); strings.Contains(got, "counted for") {
		t.Errorf("with the need still held it says %q", got)
	}
}

// TestAGuessIsHeldForOneLaunch, and what the load needed for as long as the setting says.
func TestAGuessIsHeldForOneLaunch(t *testing.T) {
	t.Parallel()
	tuning := productTuning()
	w := waitMemory{}
	const (
		headroom, hold = 0.85, 4
		guess          = 22 // what a jump to three slots needs if it goes on
	)
	at := -1
	for i, s := range tuning.settings {
		if s == (setting{surge: true, headroom: headroom, hold: hold}) {
			at = i
		}
	}
	for now := 1000.0; now < 1300; now++ {
		m := &moment{now: now, step: 1, least: 1, most: 100, boot: 60, horizon: 61, target: 10, service: 0.1}
		if now < 1010 { // the load jumps to three slots, and goes away again
			m.level, m.rising, m.jump = 3, true, 3
		}
		w.noteRates(m, &tuning)
		s := tuning.settings[at]
		size := m.size(s, m.wants(s, 0, state{ready: 3}).greatest(), m.need(at), &w.Recent)
		want := 1.0
		switch since := now - 1009; {
		case since < 60:
			want = guess
		case since < hold*60:
			want = 4 // ⌈3 ÷ 0.85⌉
		}
		if size != want {
			t.Fatalf("%g s after the load went away the size is %g, want %g", now-1009, size, want)
		}
	}
}

// TestALongerHoldLaunchesNothing: it keeps what there is, but what was needed minutes
// ago is no reason to launch.
func TestALongerHoldLaunchesNothing(t *testing.T) {
	t.Parallel()
	p := DefaultPolicy()
	w := waitMemory{Began: 1} // long ago: no newcomer
	follow := func(hold float64) {
		for i, s := range p.tuning.settings {
			w.Parade.Shadows[i].Score = 0
			if s == (setting{surge: true, headroom: 0.85, hold: hold}) {
				w.Parade.Shadows[i].Score = -1e12
			}
		}
	}
	size, now := 1, 1e9
	w.Demand.begin(now)
	tick := func(photos float64) string {
		now++
		o := Observation{Boot: time.Minute, Fleet: Fleet{Known: true, Ready: size}}
		wants := w.targetWait(o, p, bounds{min: 1, max: 8}, news{now: now, seconds: 1, counted: now, photos: photos}, &Inputs{})
		size = wants[0].Instances
		return wants[0].Name
	}
	tick(0)
	follow(0.5)
	for range 20 {
		tick(40)
	}
	for range 90 {
		tick(0)
	}
	if size != 1 {
		t.Fatalf("with a hold of half a minute %d are kept", size)
	}
	follow(8)
	if tick(0); size != 1 {
		t.Errorf("with a hold of eight minutes from now on, %d are wanted for a load that went away before", size)
	}
	for range 20 {
		tick(40)
	}
	for range 120 {
		tick(0)
	}
	if name := tick(0); name != WantHold || size < 5 {
		t.Errorf("two minutes after the next load %d are kept for the sake of %s", size, name)
	}
}
