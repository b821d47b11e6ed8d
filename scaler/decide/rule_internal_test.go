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
