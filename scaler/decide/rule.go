package decide

import "math"

const (
	drainSeconds = 5.0  // in which a backlog should be worked off once capacity is there
	tardyShare   = 0.01 // of photos that may be late under a steady load
	minimumBill  = 60.0 // seconds that a launch costs at least
)

// moment is what one tick is for the real fleet and for all shadows alike. Times are
// seconds, sizes slots.
type moment struct {
	now, seconds float64
	boot         float64
	horizon      float64 // when an order of now can help at the soonest
	target       float64
	service      float64
	load         float64 // of this tick
	level        float64 // to be ready for
	rising       bool
	jump         float64 // the level that is ordered for if it is rising
	least, most  float64
	step         float64 // slots of an instance
	staffed      float64 // for the level, by queueing theory
	newcomer     float64
	hour, period float64 // what the clocks say
	lean         bool
	fresh        float64 // work that came within the target
	latePrice    float64 // of a photo
	fade         float64 // of scores
	launchCost   float64 // of a slot, beside its time, slot-seconds
	// needs is, for each setting in their order, the greatest rate of the time for which
	// it holds one; nil if settings hold every want so long.
	needs []float64
}

// launch is what one launch costs at least.
func (m *moment) launch() float64 { return math.Max(m.boot, minimumBill) }

// pool is what a launch of everything costs at least.
func (m *moment) pool() float64 { return m.launch() * m.most }

// survivors is the share of a load that slots must be there for at the moment it
// jumps: then nobody waits longer than the target until more have booted.
func (m *moment) survivors() float64 { return math.Max(0, 1-m.target/m.horizon) }

// whole rounds up to whole instances.
func (m *moment) whole(slots float64) float64 { return math.Ceil(slots/m.step-1e-9) * m.step }

// rate is how many slots the level needs when it is steady.
func (m *moment) rate(headroom float64) float64 {
	return math.Max(m.staffed, math.Ceil(m.level/headroom-1e-9))
}

// reserve is a share of the largest fleet.
func (m *moment) reserve(share float64) float64 { return math.Floor(share*m.most + 0.5) }

// standing is the reserve that a setting asks for: none where whoever comes in a jump is
// served in time by what boots then.
func (m *moment) standing(s setting) float64 {
	if m.lean && m.survivors() == 0 {
		return 0
	}
	return m.reserve(s.reserve)
}

// state is a fleet, real or not.
type state struct {
	backlog float64 // work that waits, slot-seconds
	ready   float64
	soon    float64 // work that starting instances will have done by the horizon
}

// wants are the numbers of which the greatest decides, in slots, before any bounds.
type wants struct {
	rate, surge, backlog, reserve, clock, newcomer float64
}

// wants is the rule. own is what a shadow's own clock says.
func (m *moment) wants(s setting, own float64, f state) wants {
	w := wants{rate: m.rate(s.headroom), reserve: m.standing(s), newcomer: m.newcomer}
	switch s.clock {
	case clockHour:
		w.clock = m.hour
	case clockPeriod:
		w.clock = m.period
	case clockOwn:
		w.clock = own
	case clockNone:
	}
	if m.lean {
		w.clock = math.Ceil(w.clock * m.survivors())
	}
	if s.surge && m.rising {
		w.surge = math.Ceil(m.jump * (1 + m.horizon/m.target))
	}
	if left := f.backlog + (m.level-f.ready)*m.horizon - f.soon; left > 0 {
		w.backlog = math.Ceil(m.level + left/drainSeconds)
	}
	return w
}

func (w wants) greatest() float64 {
	return max(w.rate, w.surge, w.backlog, w.reserve, w.clock, w.newcomer)
}

// need is the greatest rate that a setting holds.
func (m *moment) need(setting int) float64 {
	if m.needs == nil {
		return 0
	}
	return m.needs[setting]
}

// size bounds a want and holds it: up at once, down only below every want of late.
// Most wants are guesses of what may come, and are held for one launch: its first
// minute is paid for, and then the guess has come true or not. What the load needed is
// held for longer, if the setting does so.
func (m *moment) size(s setting, want, need float64, recent *highest) float64 {
	held := recent.push(m.now, math.Min(m.whole(want), m.most), m.holdsWants(s))
	return max(m.least, held, math.Min(need, m.most)) // a minimum is no want: when it ends, nothing of it is held
}

// holdsWants is for how many seconds a setting holds every want.
func (m *moment) holdsWants(s setting) float64 {
	if m.needs == nil {
		return s.hold * m.launch()
	}
	return math.Min(s.hold, 1) * m.launch()
}
