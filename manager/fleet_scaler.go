package manager

import (
	"context"
	"encoding/json"
	"time"

	"maskfleet/pkg/jobqueue/command"
)

// Where the scaler answers. The manager knows its words, and nothing of its insides.
const (
	scalerArea      = "maskfleet.scaler."
	mostInstances   = 500 // in one answer of the scaler
	instancesEvery  = 2 * time.Second
	instancesAtMost = 10_000 // the largest fleet that the scaler knows
)

// roles of instances, in the scaler's words.
const (
	fleetReady    = "ready"
	fleetStarting = "starting"
	fleetDraining = "draining"
	fleetFailed   = "failed"
	fleetStopped  = "stopped"
)

func fleetRoles() []string {
	return []string{fleetReady, fleetStarting, fleetDraining, fleetFailed, fleetStopped}
}

// scalerStatus is what the scaler that holds the lease says of itself.
type scalerStatus struct {
	Leading       bool            `json:"leading"`
	Scaler        string          `json:"scaler"`
	Fleet         scalerCounts    `json:"fleet"`
	Decision      *scalerDecision `json:"decision"`
	Policy        *policyDocument `json:"policy"`
	Young         int             `json:"young"` // too many, but not yet old enough to retire
	YoungUntil    time.Time       `json:"young_until"`
	Trouble       string          `json:"trouble"`
	PolicyRefusal string          `json:"policy_refusal"`
	Readings      []scalerReading `json:"readings"`
}

type scalerCounts struct {
	Ready    int `json:"ready"`
	Starting int `json:"starting"`
	Draining int `json:"draining"`
	Failed   int `json:"failed"`
	Stopped  int `json:"stopped"`
}

type scalerReading struct {
	Reading    string   `json:"reading"`
	AgeSeconds *float64 `json:"age_seconds"`
	Trouble    string   `json:"trouble"`
}

// scalerDecision is what was decided last, and why.
type scalerDecision struct {
	At      time.Time `json:"at"`
	Policy  string    `json:"policy"`
	Version int       `json:"version"`
	Size    int       `json:"size"`
	Wants   []struct {
		Name      string `json:"name"`
		Instances int    `json:"instances"`
		Why       string `json:"why"`
	} `json:"wants"`
	Decided  string          `json:"decided"`
	Wanted   int             `json:"wanted"`
	Clamped  int             `json:"clamped"`
	Target   int             `json:"target"`
	Blind    []string        `json:"blind"`
	Override *scalerOverride `json:"override"`
	Reason   string          `json:"reason"`
}

// scalerOverride is what a person put in the policy's place.
type scalerOverride struct {
	Kind  string    `json:"kind"`
	Size  int       `json:"size,omitempty"`
	Min   int       `json:"min,omitempty"`
	Max   int       `json:"max,omitempty"`
	Who   string    `json:"who"`
	Why   string    `json:"why"`
	Until time.Time `json:"until,omitzero"`
}

// scalerInstance is a machine as the scaler sees it.
type scalerInstance struct {
	ID         string    `json:"id"`
	Type       string    `json:"type"`
	Zone       string    `json:"zone"`
	Address    string    `json:"address"`
	Version    string    `json:"version"`
	Spot       bool      `json:"spot"`
	State      string    `json:"state"`
	LaunchedAt time.Time `json:"launched_at"`
	Health     string    `json:"health"`
	Target     struct {
		State  string `json:"state"`
		Reason string `json:"reason"`
	} `json:"target"`
	Image         string            `json:"image"`
	KeyPair       string            `json:"key_pair"`
	PublicAddress string            `json:"public_address"`
	Tags          map[string]string `json:"tags"`
	Role          string            `json:"role"`
	Why           string            `json:"why"` // it is to be replaced
	Workers       []string          `json:"workers"`
	Retirement    *struct {
		BegunAt time.Time `json:"begun_at"`
		By      string    `json:"by"`
		Reason  string    `json:"reason"`
		Final   bool      `json:"final"`
	} `json:"retirement"`
}

// fleetList is every machine of the fleet.
type fleetList struct {
	at        time.Time // when EC2 was asked; zero: it has not answered yet
	instances []scalerInstance
	userData  string
}

func (s *Service) readScaler(ctx context.Context) (scalerStatus, error) {
	return command.Ask[scalerStatus](ctx, s.queue, scalerArea+"status", command.Asker{}, struct{}{})
}

// readInstances asks page by page: an answer has room for so many.
func (s *Service) readInstances(ctx context.Context) (list fleetList, err error) {
	type request struct {
		After string `json:"after,omitempty"`
		Limit int    `json:"limit"`
	}
	q := request{Limit: mostInstances}
	for {
		answer, err := command.Ask[struct {
			At        time.Time        `json:"at"`
			Total     int              `json:"total"`
			Instances []scalerInstance `json:"instances"`
			UserData  string           `json:"user_data"`
		}](ctx, s.queue, scalerArea+"instances", command.Asker{}, q)
		if err != nil {
			return fleetList{}, err
		}
		list.at, list.userData = answer.At, answer.UserData
		list.instances = append(list.instances, answer.Instances...)
		n := len(answer.Instances)
		if n < mostInstances || len(list.instances) >= min(answer.Total, instancesAtMost) {
			return list, nil
		}
		q.After = answer.Instances[n-1].ID
	}
}

// policyDocument is the policy as people write it. The form makes it anew, so that a
// page that puts one loses the fields that this program does not know.
type policyDocument struct {
	Format           int             `json:"format"`
	Version          int             `json:"version,omitempty"`
	Policy           string          `json:"policy"`
	Min              int             `json:"min"`
	Max              int             `json:"max"`
	SlotsPerInstance int             `json:"slots_per_instance"`
	TickSeconds      float64         `json:"tick_seconds"`
	Wait             policyWait      `json:"target_wait"`
	Ratio            policyRatio     `json:"cpu_ratio"`
	Manual           policyManual    `json:"manual"`
	Schedules        json.RawMessage `json:"schedules,omitempty"`
}

type policyWait struct {
	TargetSeconds  float64 `json:"target_seconds"`
	LatePrice      float64 `json:"late_price"`
	BootSeconds    float64 `json:"boot_seconds"`
	ServiceSeconds float64 `json:"service_seconds"`
}

type policyRatio struct {
	GrowAbove   float64 `json:"grow_above"`
	ShrinkBelow float64 `json:"shrink_below"`
	Expand      float64 `json:"expand"`
	Keep        float64 `json:"keep"`
}

type policyManual struct {
	Size int `json:"size"`
}
