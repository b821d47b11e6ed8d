package decide

import "fmt"

const (
	// toldSeconds is how long it is told that a promise was broken: as long as a fleet
	// that shrinks for it may take to be seen smaller.
	toldSeconds = 60
	// keptShare is of its time how long a promise must be kept: what a boot takes is
	// measured again and again.
	keptShare = 0.95
)

// promise is what a decision says that holds the fleet: so many slots are kept for so
// many seconds from a moment on.
type promise struct {
	Slots   float64 `json:"slots"`
	From    float64 `json:"from"` // seconds
	Seconds float64 `json:"seconds"`
	Setting int     `json:"setting"` // whose hold it is
}

// end is when it is kept.
func (p promise) end() float64 { return p.From + p.Seconds }

// hold is what was promised. The shadow fleets may choose another setting at any tick,
// and boots may become quicker: a person who was told that the fleet is held must be told
// when it no longer is.
type hold struct {
	Told     promise `json:"told,omitzero"`   // by the last decision, if it held the fleet
	Broken   promise `json:"broken,omitzero"` // the last that was not kept
	BrokenAt float64 `json:"broken_at,omitempty"`
	Quicker  bool    `json:"quicker,omitempty"` // because boots are, not because of the setting
}

// note takes in what size is decided by which setting, and what is promised with it.
func (h *hold) note(m *moment, size float64, setting int, told promise) {
	was := h.Told
	if size < was.Slots && was.Slots <= m.most && m.now < was.From+keptShare*was.Seconds {
		h.Broken, h.BrokenAt, h.Quicker = was, m.now, setting == was.Setting
	}
	h.Told = told
}

// words say that slots were let go sooner than had been told; empty if that is not why
// the size is what it is.
func (h *hold) words(m *moment, size float64) string {
	left := h.Broken.end() - m.now
	if left <= 0 || m.now-h.BrokenAt > toldSeconds || size >= h.Broken.Slots {
		return ""
	}
	why := "to keep fewer would have been cheaper of late"
	if h.Quicker {
		why = "boots take less time now"
	}
	return fmt.Sprintf("%d were to be kept for %.0f s more, but %s", m.instances(h.Broken.Slots), left, why)
}

// rebase moves the promises by as much as the clock was moved.
func (h *hold) rebase(by float64) {
	h.Told.From += by
	h.Broken.From += by
	h.BrokenAt += by
}
