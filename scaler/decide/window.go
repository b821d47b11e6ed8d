package decide

import "math"

// stamped is a number and when it was noted, in seconds.
type stamped struct {
	At    float64 `json:"at"`
	Value float64 `json:"value"`
}

// windowEntries bounds what a window remembers: its span has so many parts, and of what
// comes within one the greatest is noted.
const windowEntries = 512

// highest is the greatest of the numbers of the last span seconds. It keeps those that
// may still become the greatest, the oldest and greatest first.
type highest struct {
	Entries []stamped `json:"entries,omitempty"`
}

// push notes a number and gives the greatest of the last span seconds, this one among
// them.
func (h *highest) push(at, value, span float64) float64 {
	e := h.Entries
	for len(e) > 0 && e[len(e)-1].Value <= value {
		e = e[:len(e)-1]
	}
	if n := len(e); n > 0 && math.Floor(at/span*windowEntries) == math.Floor(e[n-1].At/span*windowEntries) {
		e[n-1].At = at // a little longer than it need be: the safe side
	} else {
		e = append(e, stamped{at, value})
	}
	old := 0
	for e[old].At <= at-span {
		old++
	}
	if old > 0 {
		e = e[:copy(e, e[old:])]
	}
	h.Entries = e
	return e[0].Value
}

// since is the greatest of the numbers that were noted after a moment, and when that
// was. The zero value says that there was none.
func (h *highest) since(after float64) stamped {
	for _, e := range h.Entries {
		if e.At > after {
			return e
		}
	}
	return stamped{}
}
