package results

import (
	"math"
	"slices"
	"time"

	"maskfleet/pkg/client"
)

// Figures are what a scenario came to.
type Figures struct {
	Accepted  int
	Succeeded int
	Left      int // that had not ended when the scenario did
	Again     int // photos that were charged more than one attempt
	Late      float64
	P50, P95  time.Duration // wait until a worker took it
	Longest   time.Duration
	Most      int     // instances ready at a time
	Minutes   float64 // of instances: ready, starting and draining
	Launched  int     // times that one began to start
	// QueueGone is from the last boot under the load until nothing waited; negative:
	// that never was, or nothing booted.
	QueueGone time.Duration
	// Least is from the end of the load until the fleet was at its least; 0: it was so
	// before, negative: never.
	Least time.Duration
}

// Figures counts.
func (sc Scenario) Figures() Figures {
	f := Figures{Accepted: len(sc.photos), QueueGone: -1, Least: -1}
	target := time.Duration(sc.Policy.Wait.TargetSeconds * float64(time.Second))
	var waits []time.Duration
	late := 0
	for _, p := range sc.photos {
		if p.status == client.Succeeded {
			f.Succeeded++
		}
		if !p.status.Ended() {
			f.Left++
		}
		if p.attempts > 1 {
			f.Again++
		}
		if p.wait >= 0 {
			waits = append(waits, p.wait)
		}
		if p.wait > target {
			late++
		}
	}
	if slices.Sort(waits); len(waits) > 0 {
		rank := func(share float64) time.Duration { return waits[max(0, int(math.Ceil(share*float64(len(waits))))-1)] }
		f.P50, f.P95, f.Longest = rank(0.5), rank(0.95), rank(1)
		f.Late = 100 * float64(late) / float64(len(waits))
	}
	f.countFleet(sc)
	return f
}

func (f *Figures) countFleet(sc Scenario) {
	var lastBoot, loadEnds time.Duration
	for _, p := range sc.Phases {
		loadEnds += p.Length
	}
	before := Sample{}
	for i, s := range sc.Samples {
		if i == 0 {
			before = s
		}
		f.Most = max(f.Most, s.Ready)
		f.Minutes += (s.At - before.At).Minutes() * float64(s.Ready+s.Starting+s.Draining)
		f.Launched += max(0, s.Ready+s.Starting-before.Ready-before.Starting)
		if s.Ready > before.Ready && s.At <= loadEnds {
			lastBoot, f.QueueGone = s.At, -1
		}
		if lastBoot > 0 && f.QueueGone < 0 && s.Waiting == 0 {
			f.QueueGone = s.At - lastBoot
		}
		if s.At >= loadEnds && f.Least < 0 && s.atLeast() {
			if f.Least = s.At - loadEnds; before.At < loadEnds && before.atLeast() {
				f.Least = 0 // a sample is never of the very end
			}
		}
		before = s
	}
}

// atLeast says whether the fleet is as small as its policy lets it be.
func (s Sample) atLeast() bool { return s.Ready == s.following.Min && s.Starting+s.Draining == 0 }
