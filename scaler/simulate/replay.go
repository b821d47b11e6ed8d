package simulate

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"maskfleet/scaler/decide"
)

// ErrNoDay is a recording that nothing can be replayed from.
var ErrNoDay = errors.New("nothing to replay")

// Recording is what an installation measured, a day for example.
type Recording struct {
	From       time.Time
	BinSeconds int
	Accepted   []int           // photos, in each bin
	Services   []time.Duration // times of photos in a slot, a fair sample of them
	Boots      []time.Duration // from launch to the first pull
	Instances  int             // there were at the beginning
	// LateAfter is the wait that is too long, in seconds: the same for every policy, or
	// they could not be compared; 0: each policy's own target.
	LateAfter float64
}

// Replayed is what a policy would have come to.
type Replayed struct {
	InstanceHours float64 `json:"instance_hours"`
	LateShare     float64 `json:"late_share"` // 0 to 1
	Photos        int     `json:"photos"`
	LongestWait   float64 `json:"longest_wait_seconds"`
	Launches      int     `json:"launches"`
	Peak          int     `json:"peak_instances"`
	Course        Course  `json:"course"`
}

// String is the sentence for a person who is about to change the policy.
func (r Replayed) String() string {
	return fmt.Sprintf("would have cost %.1f instance-hours, %.2f %% late, the longest wait %.0f s, %d launches",
		r.InstanceHours, 100*r.LateShare, r.LongestWait, r.Launches)
}

// Replay lets a candidate policy size the fleet over what was recorded, as NewPolicy
// follows it. Schedules hold at their hours.
func Replay(r Recording, p decide.Policy) (Replayed, error) {
	if err := p.Validate(); err != nil {
		return Replayed{}, fmt.Errorf("replaying: %w", err)
	}
	photos, err := r.photos()
	if err != nil {
		return Replayed{}, err
	}
	plant := Plant{
		BootSeconds: p.Wait.BootSeconds, Min: p.Min, Max: p.Max,
		SlotsPerInstance: p.SlotsPerInstance, TargetWait: cmp.Or(r.LateAfter, p.Wait.TargetSeconds),
	}
	if n := len(r.Boots); n > 0 {
		sorted := slices.Clone(r.Boots)
		slices.Sort(sorted)
		plant.BootSeconds = sorted[n*9/10].Seconds()
		for _, boot := range r.Boots {
			plant.Boots = append(plant.Boots, boot.Seconds())
		}
	}
	rule := NewPolicy(p, plant, photos.Mean)
	rule.began = r.From
	outcome := Play(photos, plant, max(p.Min, min(p.Max, r.Instances)), rule)
	return Replayed{
		InstanceHours: outcome.CostHours(), LateShare: outcome.LateShare(), Photos: outcome.Photos,
		LongestWait: outcome.WaitQuantiles(1)[0], Launches: outcome.Launches, Peak: outcome.Peak, Course: courseOf(outcome, photos.Seconds),
	}, nil
}

// photos spreads the arrivals of each bin over it.
func (r Recording) photos() (Photos, error) {
	switch {
	case r.BinSeconds < 1 || len(r.Accepted) == 0 || len(r.Accepted) > maxSeconds/r.BinSeconds:
		return Photos{}, fmt.Errorf("%w: %d bins of %d s", ErrNoDay, len(r.Accepted), r.BinSeconds)
	case len(r.Services) == 0:
		return Photos{}, fmt.Errorf("%w: no service time was measured", ErrNoDay)
	}
	random := newTwister(1)
	p := Photos{Name: "replay", Seconds: len(r.Accepted) * r.BinSeconds}
	for i, n := range r.Accepted {
		if n < 0 {
			return Photos{}, fmt.Errorf("%w: %d photos in bin %d", ErrNoDay, n, i)
		}
		p.arrive(random, i, r.BinSeconds, n)
	}
	pool := make([]float64, servicePool)
	for i := range pool {
		at := int(random.uniform() * float64(len(r.Services)))
		pool[i] = max(0, r.Services[at].Seconds())
		p.Mean += pool[i] / servicePool
	}
	if p.Mean <= 0 {
		return Photos{}, fmt.Errorf("%w: photos took no time", ErrNoDay)
	}
	p.serve(pool)
	return p, nil
}
