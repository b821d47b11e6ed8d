package decide

import "testing"

// TestAWindowForgetsInTime: what comes closer together than the window tells apart is
// known for a little too long, but not for as long as smaller numbers come.
func TestAWindowForgetsInTime(t *testing.T) {
	t.Parallel()
	const span, tick = 1024.0, 1.0 // two ticks are told apart
	h := highest{}
	h.push(0, 9, span)
	h.push(600, 8, span)
	for at := 600 + tick; at < 3000; at += tick {
		got := h.push(at, 1, span)
		least, most := 9.0, 9.0
		if at >= span {
			least = 8
		}
		if at > span+2 {
			most = 8
		}
		if at >= 600+span {
			least = 1
		}
		if at > 600+span+2 {
			most = 1
		}
		if got < least || got > most {
			t.Fatalf("at %g it gives %g, want %g to %g", at, got, least, most)
		}
	}
}

// TestAWindowIsBounded, however many numbers come, each smaller than the one before.
func TestAWindowIsBounded(t *testing.T) {
	t.Parallel()
	const span, apart = 512.0, 0.1
	h := highest{}
	for n := range 50_000 {
		at := float64(n) * apart
		got := h.push(at, -at, span)
		if len(h.Entries) > windowEntries+1 {
			t.Fatalf("after %d numbers it remembers %d", n+1, len(h.Entries))
		}
		// The greatest is the oldest, which is forgotten a part of the span too late at most.
		if oldest := max(0, at-span); got < -oldest-apart-1e-6 || got > -max(0, oldest-span/windowEntries)+1e-9 {
			t.Fatalf("at %g it gives %g, which is %g s old", at, got, at+got)
		}
	}
}

func TestSinceAMoment(t *testing.T) {
	t.Parallel()
	h := highest{Entries: []stamped{{10, 5}, {20, 3}, {30, 1}}}
	for after, want := range map[float64]stamped{5: {10, 5}, 10: {20, 3}, 15: {20, 3}, 29.9: {30, 1}, 30: {}, 40: {}} {
		if got := h.since(after); got != want {
			t.Errorf("after %g it is %v, want %v", after, got, want)
		}
	}
	if got := (&highest{}).since(0); got != (stamped{}) {
		t.Errorf("of nothing it is %v", got)
	}
}
