package decide

import (
	"math"
	"slices"
)

const (
	serviceHalfLife  = 600.0 // of the service time that is measured, seconds
	serviceBelief    = 50.0  // photos that the policy's service time counts for at first
	slowSeconds      = 120.0 // of the slow mean of the load
	dispersionWeight = 0.005
	maxDispersion    = 50.0
	jumpDeviations   = 2.0   // a jump stands out of the noise by so many
	recentSeconds    = 16.0  // how far back every count is kept
	recentParts      = 256   // of the target, further back
	sameCount        = 0.001 // seconds; counts that are closer together are one
	countSlack       = 0.25  // seconds by which a count may come early
)

// jumpWindows are the seconds over which a jump is looked for.
func jumpWindows() [4]float64 { return [4]float64{2, 4, 8, 15} }

// demand is what is known of the load. A load is in slots: how many it keeps busy.
type demand struct {
	Worked     float64   `json:"worked"` // slot-seconds, of which the old count less
	Done       float64   `json:"done"`   // photos, likewise
	Fast       float64   `json:"fast"`
	Slow       float64   `json:"slow"`
	Dispersion float64   `json:"dispersion"` // variance over mean of arrivals
	Total      float64   `json:"total"`      // photos since the history began
	Counts     []stamped `json:"counts"`     // total at each count of late
	Begun      bool      `json:"begun"`
}

// arrivals is what came in a tick and was worked in it. The count of those who came is
// of another moment than the tick, and may be the same in two: a rate is made over the
// time between the counts.
type arrivals struct {
	counted        float64 // when; 0: not since the last time
	photos         float64
	worked, done   float64
	believed       float64 // service time, before one is measured
	target         float64
	fast           float64
	seconds        float64 // of the tick
	service, slots float64 // results: seconds a photo; load of this tick
}

// begin starts to count at this moment: what came before is not known.
func (d *demand) begin(counted float64) {
	d.Counts = append(d.Counts[:0], stamped{counted, d.Total})
}

// since is how many seconds there are between the last count and this one; 0: it is
// the same, or an older one.
func (d *demand) since(counted float64) float64 {
	if len(d.Counts) == 0 {
		return 0
	}
	apart := counted - d.Counts[len(d.Counts)-1].At
	if apart < sameCount {
		return 0
	}
	return apart
}

// note takes a tick in.
func (d *demand) note(a *arrivals) {
	if d.Done == 0 {
		d.Worked, d.Done, d.Dispersion = a.believed*serviceBelief, serviceBelief, 1
	}
	fade := math.Pow(0.5, a.seconds/serviceHalfLife)
	d.Worked = d.Worked*fade + a.worked
	d.Done = d.Done*fade + a.done
	a.service = a.believed
	if d.Done > 5 && d.Worked > 0 {
		a.service = d.Worked / d.Done
	}
	a.slots = a.photos * a.service / a.seconds
	if seconds := d.since(a.counted); seconds > 0 {
		d.count(a, seconds)
	}
}

// count takes a new count in, so many seconds after the one before.
func (d *demand) count(a *arrivals, seconds float64) {
	slots := a.photos * a.service / seconds
	if !d.Begun {
		d.Fast, d.Slow, d.Begun = slots, slots, true
	}
	expected := math.Max(0.5, d.Slow/a.service*seconds)
	surprise := (a.photos - expected) * (a.photos - expected) / expected
	d.Dispersion += dispersionWeight * (math.Min(maxDispersion, surprise) - d.Dispersion)
	d.Fast += (1 - math.Exp(-seconds/a.fast)) * (slots - d.Fast)
	d.Slow += (1 - math.Exp(-seconds/slowSeconds)) * (slots - d.Slow)
	d.Total += a.photos
	d.keep(a.counted, a.target)
}

// keep notes the total and forgets what nobody will ask for.
func (d *demand) keep(now, target float64) {
	d.Counts = append(d.Counts, stamped{now, d.Total})
	old := 0
	for old+2 < len(d.Counts) && d.Counts[old+1].At <= now-math.Max(recentSeconds-1, target) {
		old++
	}
	d.Counts = d.Counts[:copy(d.Counts, d.Counts[old:])]
	late := len(d.Counts)
	for late > 0 && d.Counts[late-1].At > now-recentSeconds {
		late--
	}
	if late >= 2 && d.Counts[late-1].At-d.Counts[late-2].At < target/recentParts {
		d.Counts = append(d.Counts[:late-1], d.Counts[late:]...)
	}
}

// perSecond is how many came a second, over the last seconds that were counted. Counts
// may be irregular and far apart, so what came is divided by the time in which it came:
// from the count at which those seconds begin, or the one before. If none reaches back
// so far, it is as if nothing came before.
func (d *demand) perSecond(seconds float64) float64 {
	if len(d.Counts) == 0 {
		return 0
	}
	now := d.Counts[len(d.Counts)-1].At
	from := now - seconds + math.Min(countSlack, seconds/8)
	for _, count := range slices.Backward(d.Counts) {
		if count.At <= from {
			return (d.Total - count.Value) / (now - count.At)
		}
	}
	return (d.Total - d.Counts[0].Value) / seconds
}

// level is the load to be ready for: the fast mean, or what a jump has reached at
// least. One noisy second is no jump, a real one is seen within two to four.
func (d *demand) level(service float64) float64 {
	level := d.Fast
	for _, window := range jumpWindows() {
		_, least := d.over(window, service)
		level = math.Max(level, least)
	}
	return level
}

// likely is what a jump to that level has reached, rather than what it has at least: the
// load of those seconds that show it.
func (d *demand) likely(j jump, level, service float64) float64 {
	likely := level
	for _, window := range jumpWindows() {
		if mean, least := d.over(window, service); j.is(least, d.Slow) {
			likely = math.Max(likely, mean)
		}
	}
	return likely
}

// over is the load of the last seconds, and what it was at least, luck aside.
func (d *demand) over(seconds, service float64) (mean, least float64) {
	came := d.perSecond(seconds) * seconds
	sure := came - jumpDeviations*math.Sqrt(math.Max(1, d.Dispersion)*came+1)
	return came / seconds * service, sure / seconds * service
}

// jump is how far a load, or the need for it, must rise to be one.
type jump struct {
	factor float64 // of what was before
	slots  float64 // and so many more
}

func (j jump) is(to, from float64) bool { return to > j.factor*from+j.slots }
