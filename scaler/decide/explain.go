package decide

import (
	"fmt"
	"math"
	"strconv"
)

// explain gives the wants that had something to say, the one that decided first, and
// remembers what it promises with them.
func (w *waitMemory) explain(m *moment, o Observation, parts wants, best setting, size float64, t *tuning) []Want {
	waiting := o.Waiting.Value
	all := []struct {
		name  string
		slots float64
		why   string
	}{
		{WantRate, parts.rate, m.rateWords(best)},
		{WantSurge, parts.surge, fmt.Sprintf("the load has jumped to %s slots and may go on", plain(m.jump, 2))},
		{WantBacklog, parts.backlog, fmt.Sprintf("%.0f photos wait, and an instance ordered now helps in %.0f s", waiting, m.horizon)},
		{WantReserve, parts.reserve, w.reserveWords(best, t)},
		{WantClock, parts.clock, w.clockWords(best, t)},
		{WantNewcomer, parts.newcomer, fmt.Sprintf("the traffic is known for less than %.0f minutes", t.newcomer.seconds/60)},
	}
	var list []Want
	for _, part := range all {
		if part.slots <= 0 {
			continue
		}
		want := Want{part.name, m.instances(part.slots), part.why}
		if len(list) > 0 && want.Instances > list[0].Instances {
			list = append([]Want{want}, list...)
		} else {
			list = append(list, want)
		}
	}
	told := promise{}
	if held := m.instances(size); held > m.instances(math.Max(m.least, math.Min(parts.greatest(), m.most))) {
		want := Want{Name: WantHold, Instances: held}
		told, want.Why = w.promise(m, size, best, t)
		list = append([]Want{want}, list...)
	}
	w.Hold.note(m, size, w.Parade.Best, told)
	if words := w.Hold.words(m, size); words != "" && len(list) > 0 {
		list[0].Why += "; " + words
	}
	return list
}

// rateWords says why more instances than are busy where that is so.
func (m *moment) rateWords(best setting) string {
	perSecond := m.level / m.service // those that the level is made of, so that the numbers multiply
	busy, slots := plain(m.level, 2), "slots"
	if busy == "1" {
		slots = "slot"
	}
	words := fmt.Sprintf("%s photos a second keep %s %s busy", plain(perSecond, 3), busy, slots)
	switch rate := m.rate(best.headroom); {
	case m.instances(rate) <= max(1, m.instances(m.level)):
		return words
	case rate > m.staffed:
		return words + fmt.Sprintf(", and they may be busy %.0f %% of the time", 100*best.headroom)
	default:
		return words + ", and with fewer more than one photo in a hundred would be late"
	}
}

// plain writes a number that is not negative for people: with so many digits, more if
// it is large, fewer where they would be finer than thousandths, and without exponent.
func plain(x float64, digits int) string {
	const finest = 1000
	parts, least := 1.0, math.Pow10(digits-1)
	for x*parts < least && parts < finest {
		parts *= 10
	}
	return strconv.FormatFloat(math.Round(x*parts)/parts, 'f', -1, 64)
}

func (m *moment) instances(slots float64) int {
	return int(math.Min(math.Ceil(slots/m.step-1e-9), math.MaxInt32))
}

// promise says for how long so many slots are held, and for the sake of what.
func (w *waitMemory) promise(m *moment, size float64, best setting, t *tuning) (promise, string) {
	p := promise{Slots: size, Setting: w.Parade.Best}
	if m.need(w.Parade.Best) < size {
		p.From, p.Seconds = w.Recent.Entries[0].At, m.holdsWants(best)
		return p, fmt.Sprintf("so many were wanted %.0f s ago, and a want is held for %.0f s at present", m.now-p.From, p.Seconds)
	}
	for _, need := range w.longHeld(best, t).Entries { // the latest that is as large
		if need.Value >= size {
			p.From = need.At
		}
	}
	p.Seconds = best.hold * m.launch()
	return p, fmt.Sprintf("the load needed so many %.0f s ago, and that is held for %.0f s at present", m.now-p.From, p.Seconds)
}

// reserveWords says what the reserve would have paid, against the same setting without.
func (w *waitMemory) reserveWords(best setting, t *tuning) string {
	without := best
	without.reserve = 0
	for i, s := range t.settings {
		if s == without {
			saved := (w.Parade.Shadows[i].Score - w.Parade.Shadows[w.Parade.Best].Score) / 60
			if saved <= 0 {
				break
			}
			return fmt.Sprintf("having this reserve would have been worth %.0f slot-minutes over the past hours", saved)
		}
	}
	return "a reserve stands until another size has proved cheaper"
}

func (w *waitMemory) clockWords(best setting, t *tuning) string {
	minutes := hourMinutes
	if best.clock == clockPeriod {
		minutes = t.periodic[w.Calendar.Best].minutes
	}
	return fmt.Sprintf("it was needed at this time of the period of %d minutes", minutes)
}
