package decide

import "math"

const (
	shortestPeriod = 10 // minutes
	longestPeriod  = 180
	usualVisits    = 8 // of a period of minutes or an hour
	noShowMinutes  = 2 // what came at a visit so long ago and has not come today is not coming
	// periodHalfLife is of what the candidates have cost, seconds: longer than that of
	// settings, because among so many one is right by luck over a short time.
	periodHalfLife = 8 * 3600.0
	hourMinutes    = 60
	dayMinutes     = 24 * hourMinutes
	weekMinutes    = 7 * dayMinutes
	// rememberedMinutes is how far back the need of a minute is known: a week and the
	// hours that a boot may look ahead.
	rememberedMinutes = weekMinutes + 2*hourMinutes
)

// period is a distance at which the need may come again, and how many of the last
// visits are looked at.
type period struct {
	minutes, visits int
	bias            float64 // in launches
}

// candidates are the periods that are tried, all at once. The first is none; the hour,
// by which people set their clocks, comes before the others.
func candidates() []period {
	all := []period{{0, 0, 2}, {hourMinutes, usualVisits, 0}}
	for minutes := shortestPeriod; minutes <= longestPeriod; minutes++ {
		if minutes != hourMinutes {
			all = append(all, period{minutes, usualVisits, 2})
		}
	}
	return append(all, period{dayMinutes, 2, 1}, period{weekMinutes, 1, 2})
}

// calendar is the need of each minute, and a shadow for each candidate that provides
// for what was needed a few periods ago. The period whose shadow would have
// been cheapest is the clock of the settings that have one.
type calendar struct {
	Needs   []int32  `json:"needs"` // slots, a ring by minute
	Minute  int64    `json:"minute"`
	Peak    float64  `json:"peak"` // of this minute so far
	Shadows []shadow `json:"shadows,omitempty"`
	Best    int      `json:"best"` // of the candidates

	// What the candidates foresee, which changes with the minute only. It is made
	// anew, never changed, so that copies may share it.
	foreseen []float64
	from, to int64
}

// note takes the need of a moment in.
func (c *calendar) note(now, need float64) {
	minute := int64(math.Floor(now / 60))
	if c.Needs == nil {
		c.Needs, c.Minute = make([]int32, rememberedMinutes), minute
	}
	switch apart := minute - c.Minute; {
	case apart > rememberedMinutes || apart < -rememberedMinutes:
		clear(c.Needs)
		c.Minute, c.Peak = minute, 0
	case apart < 0:
		c.goBack(minute)
	}
	if c.Minute < minute {
		c.Needs[c.at(c.Minute)] = int32(min(c.Peak, math.MaxInt32))
		for c.Minute++; c.Minute < minute; c.Minute++ {
			c.Needs[c.at(c.Minute)] = 0
		}
		c.Needs[c.at(minute)], c.Peak = 0, 0
	}
	c.Peak = max(c.Peak, need)
}

// goBack follows a clock that was put back: the minutes that are yet to come again are
// not known, the one that it is now goes on.
func (c *calendar) goBack(minute int64) {
	for ; c.Minute > minute; c.Minute-- {
		c.Needs[c.at(c.Minute)] = 0
	}
	c.Peak = float64(c.Needs[c.at(minute)])
	c.Needs[c.at(minute)] = 0
}

func (c *calendar) at(minute int64) int {
	return int(((minute % rememberedMinutes) + rememberedMinutes) % rememberedMinutes)
}

// foresee is the greatest need, at the earlier visits, of the minutes from now to the
// horizon. If noShow is not 0, only a rise counts, over some of so many minutes before:
// a need that was there in all of them has come today too, and the load shows it, or it
// is not coming.
func (c *calendar) foresee(p period, horizon float64, j jump, noShow int64) float64 {
	need := int32(0)
	last := int64(math.Floor(horizon / 60))
	for visit := 1; visit <= p.visits; visit++ {
		back := int64(p.minutes * visit)
		before := 0.0
		for ago := int64(1); ago <= noShow; ago++ {
			was := float64(c.Needs[c.at(c.Minute-ago-back)])
			if ago == 1 || was < before {
				before = was
			}
		}
		for minute := c.Minute; minute <= last; minute++ {
			if back >= c.Minute-minute+rememberedMinutes || minute-back >= c.Minute {
				continue
			}
			if was := c.Needs[c.at(minute-back)]; noShow == 0 || j.is(float64(was), before) {
				need = max(need, was)
			}
		}
	}
	return float64(need)
}

// live lets the candidates' shadows go through the moment and gives what the best of
// the periods foresees.
func (c *calendar) live(m *moment, t *tuning, ready float64) float64 {
	all := t.periodic
	if len(c.Shadows) != len(all) {
		c.Shadows, c.Best = make([]shadow, len(all)), 1
		for i := range c.Shadows {
			c.Shadows[i].Ready = ready
		}
	}
	s := setting{surge: true, headroom: t.headroom, hold: 1, clock: clockOwn}
	c.look(all, m.now+m.horizon, t.jump)
	slow := *m
	slow.fade = math.Pow(0.5, m.seconds/periodHalfLife)
	lowest, best := 0.0, -1
	score := func(i int) float64 { return c.Shadows[i].Score + all[i].bias*m.launch() }
	for i := range all {
		c.Shadows[i].live(&slow, s, c.foreseen[i], 0) // its hold is of one launch
		if at := score(i); best < 0 || at < lowest {
			lowest, best = at, i
		}
	}
	if lowest < score(c.Best)-t.clockInertia*m.pool() {
		c.Best = best
	}
	return c.foreseen[c.Best]
}

func (c *calendar) look(all []period, horizon float64, j jump) {
	to := int64(math.Floor(horizon / 60))
	if len(c.foreseen) == len(all) && c.from == c.Minute && c.to == to {
		return
	}
	c.foreseen, c.from, c.to = make([]float64, len(all)), c.Minute, to
	for i, p := range all {
		c.foreseen[i] = c.foresee(p, horizon, j, noShowMinutes)
	}
}
