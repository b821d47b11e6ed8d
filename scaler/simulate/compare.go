package simulate

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"maskfleet/scaler/decide"
)

// The names of rules, beside those of decide.
const (
	clairvoyant = "clairvoyant"
	published   = "published"
	knative     = "knative"
	kedaTen     = "keda-10"
	kedaTarget  = "keda-target"
	awsBacklog  = "aws-backlog"
	always      = "static-max"
	candidate   = "candidate"
)

// Rules lists what --policy knows, beside the candidate, in the order of the table.
func Rules() []string {
	return []string{
		string(decide.TargetWait), published, string(decide.CPURatio), knative, kedaTen, kedaTarget, awsBacklog, always,
	}
}

// Scenario is a trace and the plant that serves it.
type Scenario struct {
	Load      Load
	Sizing    Sizing
	Plant     Plant
	Rules     []string
	Candidate *decide.Policy // one more rule, if any
}

// Row is what came of one rule.
type Row struct {
	Policy        string  `json:"policy"`
	LatePercent   float64 `json:"late_percent"`
	Late          int     `json:"late"`
	InstanceHours float64 `json:"instance_hours"`
	CostRatio     float64 `json:"cost_ratio"` // to the clairvoyant plan
	MedianWait    float64 `json:"median_wait_seconds"`
	Wait95        float64 `json:"p95_wait_seconds"`
	Wait99        float64 `json:"p99_wait_seconds"`
	LongestWait   float64 `json:"longest_wait_seconds"`
	Launches      int     `json:"launches"`
	LaunchesDaily float64 `json:"launches_per_day"`
	Actions       int     `json:"actions"`
	Peak          int     `json:"peak_instances"`

	outcome Outcome
}

// Comparison is a scenario's rows, the clairvoyant plan first.
type Comparison struct {
	Trace       string  `json:"trace"`
	Photos      int     `json:"photos"`
	Scaled      float64 `json:"photos_per_request"`
	Hours       float64 `json:"hours"`
	WorkHours   float64 `json:"work_slot_hours"`
	BootSeconds float64 `json:"boot_seconds"`
	TargetWait  float64 `json:"target_wait_seconds"`
	Min         int     `json:"min"`
	Max         int     `json:"max"`
	Slots       int     `json:"slots_per_instance"`
	Initial     int     `json:"initial_instances"`
	Seed        uint32  `json:"seed"`
	Rows        []Row   `json:"policies"`
}

// Compare plays every rule of the scenario.
func Compare(s Scenario) (Comparison, error) {
	rules, err := s.rules()
	if err != nil {
		return Comparison{}, err
	}
	photos := s.Load.Photos(s.Sizing)
	c := Comparison{
		Trace: photos.Name, Photos: len(photos.Arrive), Scaled: photos.Scaled, Hours: float64(photos.Seconds) / 3600, WorkHours: photos.Work() / 3600,
		BootSeconds: s.Plant.BootSeconds, TargetWait: s.Plant.TargetWait, Min: s.Plant.Min, Max: s.Plant.Max,
		Slots: s.Plant.SlotsPerInstance, Initial: photos.StartingInstances(s.Plant), Seed: s.Sizing.Seed,
	}
	floor := Clairvoyant(photos, s.Plant, c.Initial)
	c.Rows = append(c.Rows, row(clairvoyant, floor, floor, photos))
	for _, r := range rules {
		c.Rows = append(c.Rows, row(r.name, Play(photos, s.Plant, c.Initial, r.rule), floor, photos))
	}
	return c, nil
}

// Check says whether the rules are known, which needs no load.
func (s Scenario) Check() error {
	_, err := s.rules()
	return err
}

// namedRule is a rule of the table.
type namedRule struct {
	name string
	rule Rule
}

// rules are those of the scenario, the candidate last if it is not among them.
func (s Scenario) rules() ([]namedRule, error) {
	names := s.Rules
	if s.Candidate != nil && !slices.Contains(names, candidate) {
		names = append(slices.Clone(names), candidate)
	}
	var all []namedRule
	for _, name := range names {
		rule, err := s.rule(name)
		if err != nil {
			return nil, err
		}
		all = append(all, namedRule{name, rule})
	}
	return all, nil
}

func (s Scenario) rule(name string) (Rule, error) {
	p := decide.DefaultPolicy()
	p.Min, p.Max, p.Wait.TargetSeconds = s.Plant.Min, s.Plant.Max, s.Plant.TargetWait
	perInstance := float64(s.Plant.SlotsPerInstance)
	patient := s.Plant.TargetWait / s.Sizing.ServiceSeconds // photos that a slot serves within the target
	switch name {
	case string(decide.TargetWait):
	case published:
		p = p.Published()
	case string(decide.CPURatio):
		p.Kind = decide.CPURatio
	case candidate:
		if s.Candidate == nil {
			return nil, fmt.Errorf("%w: %q needs a policy document", ErrUnknownRule, name)
		}
		p = *s.Candidate
	case knative:
		return &Knative{Slots: s.Plant.SlotsPerInstance}, nil
	case kedaTen:
		return &KEDA{Threshold: 10}, nil
	case kedaTarget:
		return &KEDA{Threshold: math.Max(1, math.RoundToEven(patient)*perInstance)}, nil
	case awsBacklog:
		return &Backlog{Target: math.Max(0.3, patient*perInstance)}, nil
	case always:
		return Fixed(s.Plant.Max), nil
	default:
		return nil, fmt.Errorf("%w: %q; there are %s", ErrUnknownRule, name, strings.Join(Rules(), ", "))
	}
	return NewPolicy(p, s.Plant, s.Sizing.ServiceSeconds), nil
}

func row(name string, o, floor Outcome, photos Photos) Row {
	waits := o.WaitQuantiles(0.5, 0.95, 0.99, 1)
	return Row{
		Policy: name, LatePercent: 100 * o.LateShare(), Late: o.Late,
		InstanceHours: o.CostHours(), CostRatio: o.Cost / floor.Cost,
		MedianWait: waits[0], Wait95: waits[1], Wait99: waits[2], LongestWait: waits[3],
		Launches: o.Launches, LaunchesDaily: float64(o.Launches) * 86400 / float64(photos.Seconds),
		Actions: o.Actions, Peak: o.Peak, outcome: o,
	}
}

// Forget lets go of what only charts need, which is large.
func (c Comparison) Forget() {
	for i := range c.Rows {
		c.Rows[i].outcome = Outcome{}
	}
}
