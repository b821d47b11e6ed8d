package simulate

import (
	"math"
	"time"

	"maskfleet/scaler/decide"
)

// cpuLag is how late the mean of the CPU is known, and cpuSpan what it is the mean of,
// in seconds.
const (
	cpuLag  = 60
	cpuSpan = 120
)

// epoch is when every trace begins: a Monday, at midnight.
func epoch() time.Time { return time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC) }

// Policy lets the product's own decision size the model's fleet.
type Policy struct {
	policy  decide.Policy
	plant   Plant
	began   time.Time
	looked  bool
	history decide.History
}

// NewPolicy follows a policy as it is written, with four exceptions: its bounds lie
// within the plant's; slots of an instance and the time of a boot are the plant's; the
// mean time of a photo in a slot is known; and what persons put in its place is left
// out, because that is not the policy.
func NewPolicy(p decide.Policy, plant Plant, mean float64) *Policy {
	p.Min, p.Max = max(plant.Min, min(plant.Max, p.Min)), max(plant.Min, min(plant.Max, p.Max))
	p.SlotsPerInstance, p.Wait.ServiceSeconds, p.Overrides = plant.SlotsPerInstance, mean, nil
	return &Policy{policy: p, plant: plant, began: epoch()}
}

// Every implements Rule: whole seconds, the model has no others.
func (p *Policy) Every() int { return max(1, int(math.Round(p.policy.TickSeconds))) }

// Size implements Rule.
func (p *Policy) Size(v *View) int {
	if !p.looked { // a rate needs two readings
		p.looked = true
		before := View{Ready: v.Size()}
		p.history.Advance(p.observation(&before), p.policy)
	}
	return p.history.Advance(p.observation(v), p.policy).Target
}

func (p *Policy) observation(v *View) decide.Observation {
	known := func(value float64) decide.Reading { return decide.Reading{Value: value, Known: true} }
	o := decide.Observation{
		At:       p.began.Add(time.Duration(v.Second) * time.Second),
		Accepted: known(float64(v.Finished + v.InFlight + v.Waiting)),
		Finished: known(float64(v.Finished)), Worked: known(v.BusySlots),
		Waiting: known(float64(v.Waiting)), InFlight: known(float64(v.InFlight)),
		Fleet: decide.Fleet{Known: true, Ready: v.Ready, Reporting: v.Ready},
		Boot:  seconds(p.plant.BootSeconds),
	}
	for _, since := range v.Starting {
		o.Fleet.Starting = append(o.Fleet.Starting, seconds(since))
	}
	if end := v.Second - cpuLag; p.policy.Kind == decide.CPURatio && end >= cpuSpan {
		sum := 0.0
		for _, busy := range v.Busy[end-cpuSpan : end] {
			sum += busy
		}
		o.CPU = known(0.03 + 0.95*sum/cpuSpan) // a worker does other things, too
	}
	return o
}

func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
