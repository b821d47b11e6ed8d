package simulate

import "math"

// Fixed keeps a size.
type Fixed int

// Every implements Rule.
func (Fixed) Every() int { return 60 }

// Size implements Rule.
func (f Fixed) Size(*View) int { return int(f) }

// stamped is a number and the second at which it was noted.
type stamped struct{ second, value int }

// KEDA is its nats-jetstream scaler with an HPA of default behaviour: instances = what
// waits and is in flight, over a threshold; up to double or four more every 15 s; down
// to the highest recommendation of five minutes.
type KEDA struct {
	Threshold float64
	recent    []stamped
}

// Every implements Rule.
func (*KEDA) Every() int { return 15 }

// Size implements Rule.
func (k *KEDA) Size(v *View) int {
	const stabilisation, tolerance = 300, 0.1
	size := v.Size()
	lag := float64(v.Waiting + v.InFlight)
	wanted := size
	if math.Abs(1-lag/(k.Threshold*float64(size))) > tolerance {
		wanted = int(math.Ceil(lag / k.Threshold))
	}
	k.recent = append(k.recent, stamped{v.Second, wanted})
	for k.recent[0].second <= v.Second-stabilisation {
		k.recent = k.recent[1:]
	}
	if wanted < size {
		highest := 0
		for _, r := range k.recent {
			highest = max(highest, r.value)
		}
		wanted = min(size, highest)
	}
	return max(1, min(wanted, max(2*size, size+4)))
}

// Backlog is AWS' recipe: target tracking on the backlog for each instance, three of
// three minutes above it to grow, fifteen of fifteen below nine tenths to shrink.
type Backlog struct {
	Target float64
	last   []float64
}

// Every implements Rule.
func (*Backlog) Every() int { return 60 }

// Size implements Rule.
func (b *Backlog) Size(v *View) int {
	const grow, shrink = 3, 15
	ready := max(1, v.Ready)
	b.last = append(b.last, float64(v.Waiting)/float64(ready))
	if len(b.last) > shrink {
		b.last = b.last[1:]
	}
	size := v.Size()
	if n := len(b.last); n >= grow && allAbove(b.last[n-grow:], b.Target) {
		return max(size, int(math.Ceil(float64(ready)*b.last[n-1]/b.Target)))
	}
	if len(b.last) == shrink && allBelow(b.last, 0.9*b.Target) && len(v.Starting) == 0 {
		return size - 1
	}
	return size
}

func allAbove(values []float64, limit float64) bool {
	for _, x := range values {
		if x <= limit {
			return false
		}
	}
	return true
}

func allBelow(values []float64, limit float64) bool {
	for _, x := range values {
		if x >= limit {
			return false
		}
	}
	return true
}

// Knative is its pod autoscaler with default settings: concurrency, which is what
// waits and is in flight, over 70 % of the slots; a window of a minute, and one of six
// seconds in which it panics.
type Knative struct {
	Slots   int // of an instance
	panic   int // second of the last reason to panic
	panics  bool
	highest int
}

// Every implements Rule.
func (*Knative) Every() int { return 2 }

// Size implements Rule.
func (k *Knative) Size(v *View) int {
	const stable, short, utilisation = 60, 6, 0.7
	target := utilisation * float64(k.Slots)
	ready := max(1, v.Ready)
	least := ready / 2
	calm := int(math.Ceil(concurrency(v, stable) / target))
	sudden := int(math.Ceil(concurrency(v, short) / target))
	if sudden >= 2*ready {
		k.panic, k.panics = v.Second, true
	} else if k.panics && k.panic+stable < v.Second {
		k.panics, k.highest = false, 0
	}
	wanted := max(calm, least)
	if k.panics {
		k.highest = max(k.highest, wanted, sudden)
		wanted = k.highest
	}
	return max(1, wanted)
}

// concurrency is the mean of what waited and was in flight in the last seconds.
func concurrency(v *View, seconds int) float64 {
	from := max(0, len(v.WaitingLog)-seconds)
	sum := 0
	for i := from; i < len(v.WaitingLog); i++ {
		sum += v.WaitingLog[i] + v.FlightLog[i]
	}
	return float64(sum) / float64(len(v.WaitingLog)-from)
}
