package decide

// clock is which earlier minutes a setting looks at.
type clock int

const (
	clockNone   clock = iota
	clockHour         // the same minutes of the last three hours
	clockPeriod       // the same minutes of the periods before, as found by itself
	clockOwn          // a shadow's own period
)

// setting is one way of following the rule. The fleet follows the one that would have
// been cheapest.
type setting struct {
	surge    bool    // order at once what a jump needs if it goes on
	headroom float64 // how busy slots may be under a steady load, 0 to 1
	hold     float64 // how long what the load needed keeps capacity, in launches' worth; what else was wanted does so for one at most
	reserve  float64 // standing, as a share of the largest fleet
	clock    clock
}

// tuning is what target-wait is made of. It is no setting for people: docs/scaling.md
// says how each number was found and what others cost.
type tuning struct {
	name      string
	surges    []bool
	headrooms []float64
	holds     []float64
	reserves  []float64
	clocks    []clock
	first     setting // followed until another has proved better

	headroom     float64 // of the need that is noted for each minute
	fastSeconds  float64 // of the fast mean of the load
	halfLife     float64 // of what settings have cost, seconds
	inertia      float64 // what another reserve must save first, in launches of the whole fleet
	clockInertia float64 // what doing without the clock must save first, likewise
	launchFee    float64 // what a launch costs a shadow beside its time, in launches' worth
	launchPrice  float64 // what it costs a shadow at least, its boot among it, slot-seconds: nothing more where boots take half of it
	surprises    float64 // unforeseen jumps that are forgiven to having no reserve
	lean         bool    // the clock provides only what survives until more has booted, and a reserve stands only if something must
	jump         jump
	rateHeld     bool // only the rate is held for longer than one launch, not every want
	likely       bool // a jump is ordered for what it probably is, not for what it is at least
	newcomer     newcomer
	periods      bool // find periods

	settings []setting // every combination, in an order that a history relies on
	periodic []period  // the candidates
}

// newcomer is the reserve of a fleet that knows little of its traffic yet.
type newcomer struct {
	seconds float64 // how long it is one
	factor  float64 // ready for so many times the most it has seen
	share   float64 // of the largest fleet, at most, before what waiting saves
}

// publishedTuning is that of the published algorithm.
func publishedTuning() tuning {
	return tuning{
		name:      "published",
		surges:    []bool{false, true},
		headrooms: []float64{0.85},
		holds:     []float64{0.5, 1, 2, 4, 8},
		reserves:  []float64{0, 0.25, 0.5, 0.75},
		clocks:    []clock{clockNone, clockHour},
		first:     setting{surge: true, headroom: 0.85, hold: 1, reserve: 0.75},
		headroom:  0.85, fastSeconds: 15, halfLife: 7200, inertia: 2.5,
		jump: jump{factor: 1.25, slots: 0.2},
	}.combine()
}

// productTuning is what runs.
func productTuning() tuning {
	return tuning{
		name:      "product",
		surges:    []bool{true},
		headrooms: []float64{0.85, 0.95},
		holds:     []float64{0.5, 1, 2, 4, 8},
		reserves:  []float64{0, 0.25, 0.375, 0.5, 0.625, 0.75},
		clocks:    []clock{clockNone, clockPeriod},
		first:     setting{surge: true, headroom: 0.85, hold: 1, reserve: 0.75, clock: clockPeriod},
		headroom:  0.9, fastSeconds: 10, halfLife: 7200,
		inertia: 2.5, clockInertia: 1, launchFee: 1, launchPrice: 120, surprises: 2,
		jump: jump{factor: 1.4, slots: 0.12}, lean: true, rateHeld: true, likely: true, newcomer: newcomer{seconds: 1800, factor: 3, share: 0.85}, periods: true,
	}.combine()
}

// combine lists every combination.
func (t tuning) combine() tuning {
	for _, surge := range t.surges {
		for _, hold := range t.holds {
			for _, reserve := range t.reserves {
				for _, c := range t.clocks {
					for _, headroom := range t.headrooms {
						t.settings = append(t.settings, setting{surge, headroom, hold, reserve, c})
					}
				}
			}
		}
	}
	if t.periods {
		t.periodic = candidates()
	}
	return t
}
