package decide

import (
	"fmt"
	"math"
)

// toldSeconds is how long it is told that wants are held for a shorter time: as long as
// a fleet that shrinks for it may take to be seen smaller.
const toldSeconds = 60

// hold is for how long a want is held, which the shadow fleets may change at any tick. A
// person who was told that a want is held must be told when it no longer is.
type hold struct {
	Seconds float64 `json:"seconds"`
	// Was is what it was before it fell under the age of a want that it had held.
	Was    float64 `json:"was,omitempty"`
	FellAt float64 `json:"fell_at,omitempty"`
	// Let is the want that was let go by that, in slots, and how old it was.
	Let float64 `json:"let,omitempty"`
	Age float64 `json:"age,omitempty"`
}

// note takes in how long a want is held from now on, given those that were and the size
// that they kept.
func (h *hold) note(now, seconds, size float64, wants *highest) {
	const less = 0.95 // what a boot takes is measured again and again
	if seconds < less*h.Seconds {
		greatest := wants.since(now - h.Seconds)
		if age := now - greatest.At; age >= seconds && age < h.Seconds {
			h.Was, h.FellAt, h.Let, h.Age = h.Seconds, now, math.Min(greatest.Value, size), age
		}
	}
	h.Seconds = seconds
}

// words say that a want was let go sooner than had been told; empty if that is not why
// the size is what it is.
func (h *hold) words(m *moment, size float64) string {
	if h.FellAt == 0 || m.now-h.FellAt > toldSeconds || size >= h.Let {
		return ""
	}
	return fmt.Sprintf("%d were needed %.0f s ago, which counted for %.0f s and counts for %.0f s now, because that would have been cheaper of late",
		m.instances(h.Let), h.Age+m.now-h.FellAt, h.Was, h.Seconds)
}
