package decide

// Kind is which policy decides.
type Kind string

// The kinds.
const (
	TargetWait Kind = "target-wait" // keep the wait below a target, at least cost
	CPURatio   Kind = "cpu-ratio"   // the ancestor's
	Manual     Kind = "manual"      // a number
)

// Policy is the document that steers the scaler. Make one with DefaultPolicy or
// ReadPolicy.
type Policy struct {
	Format           int        `json:"format"`  // of this document: 1
	Version          int        `json:"version"` // raised with every change, by whoever changes it
	Kind             Kind       `json:"policy"`
	Min              int        `json:"min"` // instances
	Max              int        `json:"max"`
	SlotsPerInstance int        `json:"slots_per_instance"`
	TickSeconds      float64    `json:"tick_seconds"` // between decisions
	Wait             Wait       `json:"target_wait"`
	Ratio            Ratio      `json:"cpu_ratio"`
	Manual           Fixed      `json:"manual"`
	Schedules        []Schedule `json:"schedules,omitempty"`
	Overrides        []Override `json:"overrides,omitempty"`

	tuning tuning
}

// Wait is the policy target-wait.
type Wait struct {
	TargetSeconds float64 `json:"target_seconds"` // a photo that waits longer is late
	// LatePrice is what a late photo costs, in multiples of the work in it: 16 says
	// that sixteen times its work may be spent on capacity to avoid it.
	LatePrice      float64 `json:"late_price"`
	BootSeconds    float64 `json:"boot_seconds"`    // until boots have been measured
	ServiceSeconds float64 `json:"service_seconds"` // a photo in a slot, until that has been measured
}

// Ratio is the policy cpu-ratio.
type Ratio struct {
	GrowAbove   float64 `json:"grow_above"` // mean CPU of all workers, 0 to 1
	ShrinkBelow float64 `json:"shrink_below"`
	Expand      float64 `json:"expand"` // the fleet is multiplied by it
	Keep        float64 `json:"keep"`   // the share that stays
}

// Fixed is the policy manual.
type Fixed struct {
	Size int `json:"size"`
}

// DefaultPolicy is what runs until somebody says otherwise.
func DefaultPolicy() Policy {
	return Policy{
		Format: policyFormat, Kind: TargetWait, Min: 1, Max: 8, SlotsPerInstance: 1, TickSeconds: 1,
		Wait:   Wait{TargetSeconds: 10, LatePrice: 16, BootSeconds: 60, ServiceSeconds: 0.12},
		Ratio:  Ratio{GrowAbove: 0.7, ShrinkBelow: 0.3, Expand: 2, Keep: 0.5},
		Manual: Fixed{Size: 1},
		tuning: productTuning(),
	}
}

// Published gives the policy as it was published, before it learned about periods and
// reserves for newcomers: what the simulator is held against.
func (p Policy) Published() Policy {
	p.tuning = publishedTuning()
	return p
}

// bootSeconds is what was measured, or what the policy says.
func (p Policy) bootSeconds(o Observation) float64 {
	if o.Boot > 0 {
		return min(o.Boot.Seconds(), maxBootSeconds)
	}
	return p.Wait.BootSeconds
}
