package scaler

import (
	"cmp"
	"slices"
	"time"

	"maskfleet/pkg/fleet"
)

// victims picks n instances to retire: those that are still starting, the youngest
// first; then what the balancer finds unhealthy, what AWS will take away anyhow, what
// is idle, what has least in hand, the oldest version first among equals. Among those
// that are alike, the fullest zone gives first, so that zones stay even. Instances
// younger than leastAge are left alone, because they are paid for already, and the
// canary unless all are to go.
func victims(c census, n int, now time.Time, leastAge time.Duration) (picked []*member) {
	zones := map[string]int{}
	for i := range c.members {
		if m := &c.members[i]; m.counts() {
			zones[m.Zone]++
		}
	}
	candidates := slices.DeleteFunc(c.dispensable(n), func(m *member) bool {
		return leastAge > 0 && now.Sub(m.LaunchedAt) < leastAge // EC2's clock may be ahead of ours
	})
	slices.SortStableFunc(candidates, func(a, b *member) int {
		return cmp.Or(cmp.Compare(a.worth(), b.worth()), cmp.Compare(a.busy(), b.busy()), a.byAge(b), cmp.Compare(a.ID, b.ID))
	})
	for len(picked) < n && len(candidates) > 0 {
		// All that are worth the same as the first, and as busy.
		alike := 1
		for alike < len(candidates) && candidates[alike].worth() == candidates[0].worth() && candidates[alike].busy() == candidates[0].busy() {
			alike++
		}
		queues := map[string][]*member{}
		for _, m := range candidates[:alike] {
			queues[m.Zone] = append(queues[m.Zone], m)
		}
		for taken := 0; taken < alike && len(picked) < n; taken++ {
			zone := fullest(queues, zones)
			picked = append(picked, queues[zone][0])
			queues[zone] = queues[zone][1:]
			zones[zone]--
		}
		candidates = candidates[alike:]
	}
	return picked
}

// dispensable are those of which n may go: all but the canary, unless all are to go.
func (c census) dispensable(n int) (some []*member) { // a member is large
	all := n >= c.size()
	for i := range c.members {
		if m := &c.members[i]; m.counts() && (all || !m.canary) {
			some = append(some, m)
		}
	}
	return some
}

// young are instances that are too many and stay for now, because they are younger
// than LEAST_AGE.
type young struct {
	Young      int       `json:"young,omitempty"`
	YoungUntil time.Time `json:"young_until,omitzero"` // when the last of them may go
}

// tooYoung says how many of n instances that are too many victims leaves alone for
// their age.
func tooYoung(c census, n int, now time.Time, leastAge time.Duration) (y young) {
	if n <= 0 || leastAge == 0 {
		return young{}
	}
	var mayGo []time.Time
	for _, m := range c.dispensable(n) {
		mayGo = append(mayGo, m.LaunchedAt.Add(leastAge))
	}
	slices.SortFunc(mayGo, time.Time.Compare)
	for _, at := range mayGo[:min(n, len(mayGo))] {
		if at.After(now) {
			y.Young++
			y.YoungUntil = at.UTC()
		}
	}
	return y
}

// recalls picks up to n of those that leave and may stay after all: whoever began to
// leave last first, who has most left to give.
func recalls(c census, n int) []member {
	leaving := slices.DeleteFunc(c.in(draining), func(m member) bool {
		return m.retirement == nil || m.retirement.Final || m.spotNotice() || len(m.workers) == 0
	})
	slices.SortStableFunc(leaving, func(a, b member) int { return b.retirement.BegunAt.Compare(a.retirement.BegunAt) })
	return leaving[:max(0, min(n, len(leaving)))]
}

// worth is the less, the less is lost with the instance.
func (m *member) worth() int {
	switch {
	case m.canary:
		return 4
	case m.role == starting:
		return 0
	case m.Target.State == fleet.TargetUnhealthy:
		return 1
	case m.spotNotice():
		return 2
	default:
		return 3
	}
}

func (m *member) spotNotice() bool {
	for _, w := range m.workers {
		if w.SpotNotice != nil {
			return true
		}
	}
	return false
}

// busy is how many photos it has in hand.
func (m *member) busy() (n int) {
	for _, w := range m.workers {
		n += w.Busy
	}
	return n
}

// byAge puts the youngest first of those that start, else what is outdated and then the
// oldest.
func (m *member) byAge(other *member) int {
	if m.role != starting && m.Outdated != other.Outdated {
		if m.Outdated {
			return -1
		}
		return 1
	}
	if m.role == starting {
		return other.LaunchedAt.Compare(m.LaunchedAt)
	}
	return m.LaunchedAt.Compare(other.LaunchedAt)
}

// fullest is the zone with most instances among those that have a candidate.
func fullest(queues map[string][]*member, zones map[string]int) (most string) {
	first := true
	for zone, queue := range queues {
		if len(queue) == 0 {
			continue
		}
		if first || zones[zone] > zones[most] || zones[zone] == zones[most] && zone < most {
			most, first = zone, false
		}
	}
	return most
}
