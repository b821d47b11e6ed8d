package decide

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"maskfleet/pkg/strictjson"
)

// ErrPolicy is a policy document that cannot be followed; the text says why.
var ErrPolicy = errors.New("policy cannot be followed")

// MaxInstances is the largest fleet that this was measured with.
const MaxInstances = 10_000

const (
	policyFormat     = 1
	maxPolicyBytes   = 64 << 10
	maxSlots         = 256 // of an instance
	maxTickSeconds   = 60
	maxTargetSeconds = 3600
	maxBootSeconds   = 3600
	maxServiceTime   = 3600
	maxLatePrice     = 10_000
	maxEntries       = 100 // schedules, overrides
	maxNameBytes     = 200 // of a schedule, of who put an override
	maxWhyBytes      = 1000
	maxFaultsTold    = 20
)

// ReadPolicy reads a policy document. What it leaves out is as in DefaultPolicy; what
// it has and nobody knows is an error, because a misspelt limit is no limit.
func ReadPolicy(text []byte) (Policy, error) {
	if len(text) > maxPolicyBytes {
		return Policy{}, fmt.Errorf("%w: it has %d bytes, at most %d are read", ErrPolicy, len(text), maxPolicyBytes)
	}
	p := DefaultPolicy()
	p.Format = 0 // must be said
	err := strictjson.Read(text, &p)
	if format := formatOf(text); format != 0 && format != policyFormat { // which may have other fields
		return Policy{}, fmt.Errorf("%w: format %d is unknown, this program knows %d", ErrPolicy, format, policyFormat)
	}
	if err != nil {
		return Policy{}, fmt.Errorf("%w: %w", ErrPolicy, err)
	}
	if p.Format == 0 {
		return Policy{}, fmt.Errorf("%w: it does not say its format, which is %d", ErrPolicy, policyFormat)
	}
	for i := range p.Schedules {
		p.Schedules[i].locate()
	}
	if err := p.Validate(); err != nil {
		return Policy{}, err
	}
	return p, nil
}

// formatOf is what the document says of itself, zero if that cannot be read.
func formatOf(text []byte) int {
	var said struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return 0
	}
	return said.Format
}

// Validate says everything that is wrong with the policy.
func (p Policy) Validate() error {
	c := &checker{}
	c.check(slices.Contains([]Kind{TargetWait, CPURatio, Manual}, p.Kind),
		"policy is %.40q, want target-wait, cpu-ratio or manual", p.Kind)
	c.check(p.Version >= 0, "version %d is negative", p.Version)
	c.check(p.Min >= 1, "min is %d, want 1 or more: a fleet of nobody accepts nothing; pin it to 0 for that", p.Min)
	c.check(p.Max <= MaxInstances, "max is %d, at most %d are supported", p.Max, MaxInstances)
	c.check(p.Min <= p.Max, "min %d is above max %d", p.Min, p.Max)
	c.check(p.SlotsPerInstance >= 1 && p.SlotsPerInstance <= maxSlots, "slots_per_instance is %d, want 1 to %d", p.SlotsPerInstance, maxSlots)
	c.within("tick_seconds", p.TickSeconds, 0.1, maxTickSeconds)
	c.within("target_wait.target_seconds", p.Wait.TargetSeconds, 0.1, maxTargetSeconds)
	c.within("target_wait.late_price", p.Wait.LatePrice, 0, maxLatePrice)
	c.within("target_wait.boot_seconds", p.Wait.BootSeconds, 0.1, maxBootSeconds)
	c.within("target_wait.service_seconds", p.Wait.ServiceSeconds, 0.0001, maxServiceTime)
	p.Ratio.check(c)
	c.check(p.Manual.Size >= 0 && p.Manual.Size <= MaxInstances, "manual.size is %d, want 0 to %d", p.Manual.Size, MaxInstances)
	c.check(len(p.Schedules) <= maxEntries && len(p.Overrides) <= maxEntries, "more than %d schedules or overrides", maxEntries)
	for i, s := range p.Schedules {
		s.check(c, i, p.Max)
	}
	for i, o := range p.Overrides {
		o.check(c, i)
	}
	return c.err()
}

func (r Ratio) check(c *checker) {
	c.within("cpu_ratio.grow_above", r.GrowAbove, 0.01, 1)
	c.within("cpu_ratio.shrink_below", r.ShrinkBelow, 0, 0.99)
	c.within("cpu_ratio.expand", r.Expand, 1.01, 100)
	c.within("cpu_ratio.keep", r.Keep, 0, 0.99)
	c.check(r.GrowAbove > r.ShrinkBelow, "cpu_ratio grows above %g and shrinks below %g: it would do both", r.GrowAbove, r.ShrinkBelow)
	c.check(r.GrowAbove/r.Expand >= r.ShrinkBelow,
		"cpu_ratio would swing: a fleet at %g that grows %g times is at %.2f, where it shrinks", r.GrowAbove, r.Expand, r.GrowAbove/r.Expand)
}

// checker collects what is wrong, so that a person mends all of it at once.
type checker struct{ wrong []string }

//nolint:revive // holds is no flag, it is what is checked
func (c *checker) check(holds bool, format string, values ...any) {
	if !holds {
		c.wrong = append(c.wrong, fmt.Sprintf(format, values...))
	}
}

func (c *checker) within(name string, value, least, most float64) {
	c.check(!math.IsNaN(value) && value >= least && value <= most, "%s is %g, want %g to %g", name, value, least, most)
}

func (c *checker) err() error {
	if len(c.wrong) == 0 {
		return nil
	}
	told := c.wrong
	if more := len(told) - maxFaultsTold; more > 0 {
		told = append(told[:maxFaultsTold:maxFaultsTold], fmt.Sprintf("and %d more", more))
	}
	return fmt.Errorf("%w: %s", ErrPolicy, strings.Join(told, "; "))
}
