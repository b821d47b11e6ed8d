package decide

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestABrokenPromiseIsTold: whoever read that what the load needed is held for eight
// minutes is told why it is let go before, and not told it where it is not so.
func TestABrokenPromiseIsTold(t *testing.T) {
	t.Parallel()
	tuning := productTuning()
	long := slices.Index(tuning.settings, setting{surge: true, headroom: 0.85, hold: 8})
	short := slices.Index(tuning.settings, setting{surge: true, headroom: 0.85, hold: 2})
	busier := slices.Index(tuning.settings, setting{surge: true, headroom: 0.95, hold: 8})
	for name, c := range map[string]struct {
		was, then   float64 // what boots take
		setting     int     // that is followed then
		most, least float64
		at, passed  float64 // seconds
		want        string
	}{
		"a shorter hold":         {60, 60, short, 100, 2, 1333, 1, "4 were to be kept for 146 s more, but to keep fewer would have been cheaper of late"},
		"busier slots":           {60, 60, busier, 100, 2, 1333, 1, "4 were to be kept for 146 s more, but to keep fewer would have been cheaper of late"},
		"quicker boots":          {60, 30, long, 100, 2, 1333, 1, ""}, // a minute is paid for all the same
		"boots that were slower": {90, 40, long, 100, 2, 1500, 1, "4 were to be kept for 219 s more, but boots take less time now"},
		"the same":               {60, 60, long, 100, 2, 1333, 1, ""},
		"a smaller maximum":      {60, 60, short, 4, 2, 1333, 1, ""},
		"a larger minimum":       {60, 60, short, 100, 8, 1333, 1, ""},
		"at its end":             {60, 60, long, 100, 2, 1333, 147, ""},
		"just before":            {60, 60, long, 100, 2, 1333, 140, ""},
	} {
		w := waitMemory{Rates: make([]highest, len(tuning.headrooms))}
		w.Parade.Shadows = make([]shadow, len(tuning.settings))
		w.Rates[0].Entries = []stamped{{At: 1000, Value: 8}, {At: 1300, Value: 2}}
		w.Rates[1].Entries = []stamped{{At: 1000, Value: 6}, {At: 1300, Value: 2}}
		say := func(now, boot, least, most float64, follow int) string {
			m := &moment{now: now, step: 2, least: least, most: most, boot: boot, service: 0.1, level: 1, needs: make([]float64, len(tuning.settings))}
			for i, s := range tuning.settings {
				m.needs[i] = w.longHeld(s, &tuning).since(now - s.hold*m.launch()).Value
			}
			w.Parade.Best = follow
			s := tuning.settings[follow]
			return w.explain(m, Observation{}, wants{rate: 2}, s, m.size(s, 2, m.need(follow), &w.Recent), &tuning)[0].Why
		}
		now := c.at
		held := fmt.Sprintf("the load needed so many %.0f s ago, and that is held for %.0f s at present", now-1000, 8*c.was)
		if got := say(now, c.was, 2, 100, long); got != held {
			t.Errorf("%s: at first it says %q", name, got)
		}
		now += c.passed
		got := say(now, c.then, c.least, c.most, c.setting)
		if _, told, _ := strings.Cut(got, "; "); told != c.want {
			t.Errorf("%s: it says %q, want %q", name, got, c.want)
		}
		if got := say(now+toldSeconds, c.then, c.least, c.most, c.setting); c.want != "" && !strings.Contains(got, "to be kept for") {
			t.Errorf("%s: a minute later it says %q", name, got)
		}
		if got := say(now+toldSeconds+1, c.then, c.least, c.most, c.setting); strings.Contains(got, "to be kept for") {
			t.Errorf("%s: long after it says %q", name, got)
		}
	}
}

// TestAGuessThatIsLetGoIsToldToo, and by the moved clock if it was moved.
func TestAGuessThatIsLetGoIsToldToo(t *testing.T) {
	t.Parallel()
	h := hold{Told: promise{Slots: 8, From: 1000, Seconds: 60, Setting: 1}}
	m := &moment{now: 1030, step: 1, most: 8}
	h.note(m, 1, 2, promise{})
	want := "8 were to be kept for 30 s more, but to keep fewer would have been cheaper of late"
	if got := h.words(m, 1); got != want {
		t.Errorf("it says %q", got)
	}
	h.rebase(-500)
	m.now -= 500
	if got := h.words(m, 1); got != want {
		t.Errorf("with the clock put back it says %q", got)
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
	at := slices.Index(tuning.settings, setting{surge: true, headroom: headroom, hold: hold})
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
