package decide

import (
	"strings"
	"testing"
)

// TestAShorterHoldIsTold: whoever read that a want is held for eight minutes is told why
// it is let go after five and a half.
func TestAShorterHoldIsTold(t *testing.T) {
	t.Parallel()
	tuning := productTuning()
	w := waitMemory{Recent: highest{Entries: []stamped{{At: 1000, Value: 8}, {At: 1300, Value: 2}}}}
	m := &moment{now: 1333, step: 2, least: 2, most: 100, boot: 60, service: 0.1, level: 1}
	say := func(now, seconds float64) string {
		m.now = now
		w.Hold.note(m.now, seconds, w.Recent)
		size := w.Recent.push(m.now, 2, seconds)
		for _, want := range w.explain(m, Observation{}, wants{rate: 2}, setting{}, size, &tuning) {
			return want.Why
		}
		return ""
	}
	if got := say(1333, 480); got != "so many were wanted 333 s ago, and a want is held for 480 s at present" {
		t.Errorf("held, it says %q", got)
	}
	want := "; 4 were wanted 334 s ago, which counted for 480 s and counts for 120 s now, because that would have been cheaper of late"
	if got := say(1334, 120); !strings.HasSuffix(got, want) {
		t.Errorf("let go, it says %q", got)
	}
	if got := say(1340, 120); !strings.Contains(got, "4 were wanted 340 s ago") {
		t.Errorf("a moment later it says %q", got)
	}
	if got := say(1500, 120); strings.Contains(got, "were wanted") {
		t.Errorf("long after it says %q", got)
	}
	// Nothing that was held is let go: nothing is told.
	w.Hold = hold{Seconds: 480}
	w.Recent = highest{Entries: []stamped{{At: 1490, Value: 8}}}
	if got := say(1501, 120); strings.Contains(got, "counted for") {
		t.Errorf("with the want still held it says %q", got)
	}
}
