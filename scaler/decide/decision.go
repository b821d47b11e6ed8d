package decide

import "time"

// Want is one of the numbers that a decision was made of.
type Want struct {
	Name      string `json:"name"`
	Instances int    `json:"instances"`
	Why       string `json:"why"`
}

// The names of wants.
const (
	WantRate     = "rate"     // what the load keeps busy
	WantSurge    = "surge"    // what a jump needs if it goes on
	WantBacklog  = "backlog"  // what will wait when an instance ordered now is ready
	WantReserve  = "reserve"  // standing reserve that would have paid
	WantClock    = "clock"    // what the same minutes of earlier periods needed
	WantNewcomer = "newcomer" // reserve while little is known of the traffic
	WantHold     = "hold"     // a want of a moment ago
	WantRatio    = "cpu"      // the CPU's
	WantManual   = "manual"   // a person's, by the policy manual
)

// Decision is the whole of it: what was decided, from what, and why.
type Decision struct {
	At      time.Time `json:"at"`
	Policy  Kind      `json:"policy"`
	Version int       `json:"version"` // of the policy document
	Size    int       `json:"size"`    // instances there were, ready or starting
	Wants   []Want    `json:"wants,omitempty"`
	Decided string    `json:"decided,omitempty"` // the name of the want that decided
	Wanted  int       `json:"wanted"`            // by the policy
	Clamped int       `json:"clamped"`           // within the bounds in force
	Target  int       `json:"target"`            // what the fleet should have
	Blind   []string  `json:"blind,omitempty"`   // why the readings are not to be trusted
	// Override is what a person put in the policy's place.
	Override *Override `json:"override,omitempty"`
	Reason   string    `json:"reason"`
	Inputs   Inputs    `json:"inputs"`
}

// Inputs is what the decision rests on. What is unknown is left out.
type Inputs struct {
	ArrivalsPerSecond *float64 `json:"arrivals_per_second,omitempty"`
	ServiceSeconds    *float64 `json:"service_seconds,omitempty"`
	LoadSlots         *float64 `json:"load_slots,omitempty"` // slots that arrivals keep busy
	Waiting           *float64 `json:"waiting,omitempty"`
	InFlight          *float64 `json:"in_flight,omitempty"`
	CPU               *float64 `json:"cpu,omitempty"`
	Ready             int      `json:"ready"`
	Starting          int      `json:"starting"`
	BootSeconds       float64  `json:"boot_seconds"`
	OldestSeconds     float64  `json:"oldest_seconds"` // age of the oldest reading
	Setting           string   `json:"setting,omitempty"`
	PeriodMinutes     int      `json:"period_minutes,omitempty"` // of the clock
}

// Acts says whether the fleet is to be brought to the target. A decision that was blind
// and keeps the size is not to be acted upon: the size itself may be wrong.
func (d Decision) Acts() bool { return len(d.Blind) == 0 || d.Target != d.Size }
