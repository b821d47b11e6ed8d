package decide

import (
	"math"
	"slices"
)

// order is slots that will be ready.
type order struct {
	At    float64 `json:"at"`
	Slots float64 `json:"slots"`
}

// shadow is a fleet that costs nothing: it gets the arrivals of the real one, serves
// them as a fluid, and boots as slowly. Its score is what it would have cost.
type shadow struct {
	Backlog  float64 `json:"backlog"` // slot-seconds
	Ready    float64 `json:"ready"`   // slots
	Starting []order `json:"starting,omitempty"`
	Recent   highest `json:"recent"`
	Score    float64 `json:"score"` // slot-seconds and the price of late photos; the old count less
}

// orderParts bounds the orders that a shadow remembers: those that come closer
// together than a part of a boot are one.
const orderParts = 256

// live lets the shadow go through a moment by one setting. own is what the shadow's own
// clock says, need what the setting holds of what the load needed.
func (x *shadow) live(m *moment, s setting, own, need float64) {
	for len(x.Starting) > 0 && x.Starting[0].At <= m.now {
		x.Ready += x.Starting[0].Slots
		x.Starting = x.Starting[:copy(x.Starting, x.Starting[1:])]
	}
	residual := 0.5 * m.service // of a photo in a slot
	work := x.Backlog + m.load*m.seconds
	served := math.Min(work, math.Min(x.Ready, work/residual)*m.seconds)
	x.Backlog = work - served
	late := 0.0
	if x.Backlog-x.Ready*residual > m.fresh { // who is served now came longer ago than the target
		late = served / m.service
	}
	f := state{backlog: x.Backlog, ready: x.Ready}
	size := x.Ready
	for _, o := range x.Starting {
		f.soon += o.Slots * (m.horizon - o.At + m.now)
		size += o.Slots
	}
	want := m.size(s, m.wants(s, own, f).greatest(), math.Min(need, size), &x.Recent)
	switch {
	case want > size:
		x.order(m, want-size)
	case len(x.Starting) > 0:
		want = size // the first minute of a boot is paid for anyway
	default:
		x.Ready = want
	}
	x.Score = x.Score*m.fade + want*m.seconds + m.latePrice*late
	if want > size {
		x.Score += m.launchCost * (want - size)
	}
}

func (x *shadow) order(m *moment, slots float64) {
	at := m.now + m.boot
	if n := len(x.Starting); n > 0 && at-x.Starting[n-1].At < m.boot/orderParts {
		x.Starting[n-1].Slots += slots
		return
	}
	x.Starting = append(x.Starting, order{at, slots})
}

func cloneShadows(all []shadow) []shadow {
	all = slices.Clone(all)
	for i := range all {
		all[i].Starting = slices.Clone(all[i].Starting)
		all[i].Recent.Entries = slices.Clone(all[i].Recent.Entries)
	}
	return all
}
