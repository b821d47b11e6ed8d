package decide

import (
	"fmt"
	"math"
)

// ratioSeconds is how often cpu-ratio looks at the CPU.
const ratioSeconds = 60

// ratioMemory is what cpu-ratio knows.
type ratioMemory struct {
	Looked float64 `json:"looked"` // when, seconds
	Saw    float64 `json:"saw"`    // the CPU then, 0 to 1
}

// cpuRatio is the ancestor's rule: every minute, the mean CPU of all workers over the
// past two. Instances that are starting count. In between, and between the two
// thresholds, the fleet stays as it is.
func (r *ratioMemory) cpuRatio(o Observation, p Ratio, now float64) Want {
	size := o.Fleet.Size()
	if r.Looked != 0 && now-r.Looked < ratioSeconds-1e-6 {
		return Want{WantRatio, size, fmt.Sprintf("the workers' CPU was at %.0f %%, and is looked at every minute, again in %.0f s",
			100*r.Saw, ratioSeconds-now+r.Looked)}
	}
	r.Looked, r.Saw = now, o.CPU.Value
	cpu := r.Saw
	switch {
	case cpu > p.GrowAbove:
		grown := max(size+1, int(math.Ceil(float64(size)*p.Expand-1e-9)))
		return Want{WantRatio, grown, fmt.Sprintf("the workers' CPU is at %.0f %%, above %.0f %%: %g times as many", 100*cpu, 100*p.GrowAbove, p.Expand)}
	case cpu < p.ShrinkBelow:
		shrunk := max(0, min(size-1, int(math.Floor(float64(size)*p.Keep+1e-9))))
		return Want{WantRatio, shrunk, fmt.Sprintf("the workers' CPU is at %.0f %%, below %.0f %%: %g of them stay", 100*cpu, 100*p.ShrinkBelow, p.Keep)}
	default:
		return Want{WantRatio, size, fmt.Sprintf("the workers' CPU is at %.0f %%, between %.0f and %.0f %%", 100*cpu, 100*p.ShrinkBelow, 100*p.GrowAbove)}
	}
}
