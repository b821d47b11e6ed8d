package simulate_test

import (
	"math"
	"testing"

	"maskfleet/scaler/simulate"
)

// figure is what the reference simulator printed: late photos in percent, and cost as
// a multiple of its clairvoyant plan.
type figure struct {
	trace, policy string
	boot          float64
	late, cost    float64
}

// builtInFigures are of traces that need no file.
func builtInFigures() []figure {
	return []figure{
		{"step", "published", 60, 6.54, 1.72},
		{"step", "published", 25, 3.17, 1.35},
		{"step", "knative", 60, 9.63, 1.31},
		{"step", "knative", 25, 0.09, 1.33},
		{"step", "cpu-ratio", 60, 52.42, 1.33},
		{"step", "keda-10", 60, 27.11, 1.82},
		{"step", "keda-target", 60, 36.38, 1.05},
		{"step", "aws-backlog", 60, 43.57, 1.36},
		{"step", "static-max", 60, 0, 2.39},
		{"micro", "published", 60, 5.04, 1.65},
		{"micro", "published", 25, 4.82, 1.99},
		{"micro", "knative", 60, 31.34, 1.46},
		{"micro", "knative", 25, 24.52, 1.68},
	}
}

// checkFigures plays each trace once for each boot, and holds every policy against the
// reference: 0.3 points of late photos, 0.03 of cost.
func checkFigures(t *testing.T, figures []figure, open func(t *testing.T, name string) simulate.Load) {
	t.Helper()
	type scene struct {
		trace string
		boot  float64
	}
	grouped := make(map[scene][]figure)
	for _, f := range figures {
		at := scene{f.trace, f.boot}
		grouped[at] = append(grouped[at], f)
	}
	for at, wanted := range grouped {
		t.Run(at.trace, func(t *testing.T) {
			t.Parallel()
			p := plant()
			p.BootSeconds = at.boot
			s := simulate.Scenario{
				Load: open(t, at.trace), Plant: p,
				Sizing: simulate.Sizing{Seed: 1, ServiceSeconds: 0.12, Variation: 0.5, PeakSlots: 6.4},
			}
			for _, f := range wanted {
				s.Rules = append(s.Rules, f.policy)
			}
			c, err := simulate.Compare(s)
			if err != nil {
				t.Fatal(err)
			}
			for i, f := range wanted {
				r := c.Rows[i+1]
				t.Logf("boot %g, %s: %.2f %% at %.2f, reference %.2f %% at %.2f", at.boot, f.policy, r.LatePercent, r.CostRatio, f.late, f.cost)
				if math.Abs(r.LatePercent-f.late) > 0.3 || math.Abs(r.CostRatio-f.cost) > 0.03 {
					t.Errorf("boot %g, %s: %.2f %% late at %.3f, the reference has %.2f %% at %.2f", at.boot, f.policy, r.LatePercent, r.CostRatio, f.late, f.cost)
				}
			}
		})
	}
}

// TestAgreesWithTheReference on what needs no files; `go tool task simulate:parity`
// does so on recorded traffic too.
func TestAgreesWithTheReference(t *testing.T) {
	t.Parallel()
	checkFigures(t, builtInFigures(), func(t *testing.T, name string) simulate.Load {
		t.Helper()
		load, err := simulate.OpenLoad(name)
		if err != nil {
			t.Fatal(err)
		}
		return load
	})
}

// TestTargetWaitReachesItsGoals on the built-in traces. The model is exact, so these
// figures move only with the code.
func TestTargetWaitReachesItsGoals(t *testing.T) {
	t.Parallel()
	checkGoals(t, []figure{
		{"step", "target-wait", 60, 6.6, 1.35},
		{"step", "target-wait", 25, 0.1, 1.33},
		{"steady", "target-wait", 60, 0, 1.1},
		{"wave", "target-wait", 60, 0.5, 1.2},
	}, simulate.OpenLoad)
}

// checkGoals plays each trace and allows no more late photos and cost than the figures
// say, and 500 launches a day. What happens in an hour says nothing of a day's.
func checkGoals(t *testing.T, goals []figure, open func(name string) (simulate.Load, error)) {
	t.Helper()
	for _, goal := range goals {
		t.Run(goal.trace, func(t *testing.T) {
			t.Parallel()
			load, err := open(goal.trace)
			if err != nil {
				t.Fatal(err)
			}
			p := plant()
			p.BootSeconds = goal.boot
			c, err := simulate.Compare(simulate.Scenario{
				Load: load, Plant: p, Rules: []string{goal.policy},
				Sizing: simulate.Sizing{Seed: 1, ServiceSeconds: 0.12, Variation: 0.5, PeakSlots: 6.4},
			})
			if err != nil {
				t.Fatal(err)
			}
			r := c.Rows[1]
			t.Logf("boot %g: %.2f %% late at %.2f times the plan, %.0f launches a day", goal.boot, r.LatePercent, r.CostRatio, r.LaunchesDaily)
			if r.LatePercent > goal.late || r.CostRatio > goal.cost || (c.Hours >= 2 && r.LaunchesDaily > 500) {
				t.Errorf("boot %g: %.2f %% late at %.2f times the plan, %.0f launches a day; want %.2f %% at %.2f and 500 at most",
					goal.boot, r.LatePercent, r.CostRatio, r.LaunchesDaily, goal.late, goal.cost)
			}
		})
	}
}
