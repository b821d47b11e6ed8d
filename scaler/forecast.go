package scaler

import (
	"time"

	"maskfleet/scaler/decide"
)

// forecast is what the hands will do to bring the fleet to a size.
type forecast struct {
	Launch int      `json:"launch"`           // or start, of those that are stopped
	Recall []string `json:"recall,omitempty"` // draining ones that stay after all
	Retire []string `json:"retire,omitempty"` // they finish what they have in hand
	young           // they are retired later
}

// unseen is the note of a forecast that cannot be made.
const unseen = "the instances are not known at the moment: it is done as soon as they are"

// foresee goes by what was seen last, as the next round will unless something changes
// until then.
func foresee(c census, target int, leastAge time.Duration) (f forecast) {
	missing := target - c.size()
	for _, m := range recalls(c, missing) {
		f.Recall = append(f.Recall, m.ID)
	}
	f.Launch = max(0, missing-len(f.Recall))
	now := time.Now()
	for _, m := range victims(c, -missing, now, leastAge) {
		f.Retire = append(f.Retire, m.ID)
	}
	f.young = tooYoung(c, -missing, now, leastAge)
	return f
}

// glance is what a command sees of the fleet: the census of the last tick and its
// decision.
type glance struct {
	census census
	known  bool // there is a census
	last   decide.Decision
}

func (l *leader) glance() glance {
	l.mu.Lock()
	defer l.mu.Unlock()
	return glance{l.seen, l.known, l.latest}
}
