package decide

import (
	"testing"
	"time"
)

// TestLaunchCostsTwoMinutes for a shadow, its boot among them: the quicker the boot, the
// dearer the rest. The published algorithm knows no such price.
func TestLaunchCostsTwoMinutes(t *testing.T) {
	t.Parallel()
	for boot, want := range map[float64]float64{5: 115, 25: 95, 60: 60, 90: 90} {
		for _, p := range []Policy{DefaultPolicy(), DefaultPolicy().Published()} {
			if p.tuning.name == "published" {
				want = 0
			}
			w := waitMemory{}
			o := Observation{Boot: time.Duration(boot * float64(time.Second))}
			m := w.moment(o, p, bounds{min: 1, max: 8}, news{now: 1e9, seconds: 1, counted: 1e9})
			if m.launchCost != want {
				t.Errorf("%s, a boot of %g s: a launch costs %g slot-seconds beside its time, want %g", p.tuning.name, boot, m.launchCost, want)
			}
		}
	}
}

// TestStandingReserve: a share of the largest fleet, and none where who comes in a jump
// is served within the target by what boots then.
func TestStandingReserve(t *testing.T) {
	t.Parallel()
	s := setting{reserve: 0.75}
	for horizon, want := range map[float64]float64{61: 6, 11: 6, 10: 0, 5: 0} {
		m := moment{most: 8, target: 10, horizon: horizon, lean: true}
		if got := m.standing(s); got != want {
			t.Errorf("%g s until more are ready: %g slots, want %g", horizon, got, want)
		}
		if m.lean = false; m.standing(s) != 6 {
			t.Errorf("%g s, as published: %g slots", horizon, m.standing(s))
		}
	}
}
