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
		if len(h.Entries) > windowEntries+2 {
			t.Fatalf("%d entries", len(h.Entries))
		}
	}
}
