package simulate

import "math"

// planStep is the length of a step of a clairvoyant plan, in seconds.
const planStep = 5

// plan says how many instances to have ordered by each step, known beforehand.
type plan []int

func (plan) Every() int { return planStep }

func (p plan) Size(v *View) int { return p[min(len(p)-1, v.Second/planStep)] }

// Clairvoyant is the floor that rules are measured against: it knows every photo,
// orders capacity a boot ahead, uses the wait that is allowed, and keeps instances
// through pauses that are shorter than a boot. Of 27 such plans it is the cheapest
// that is late for at most one photo in 10,000; a very good plan, not a proven best.
func Clairvoyant(photos Photos, plant Plant, initial int) Outcome {
	var best Outcome
	found := false
	work := offeredWork(photos)
	for _, window := range []float64{10, 20, 30} {
		for _, margin := range []float64{0.9, 0.95, 1, 1.03, 1.06, 1.1, 1.15, 1.25, 1.4} {
			p := makePlan(work, plant, window, margin)
			run := Play(photos, plant, max(initial, p[0]), p)
			if !found || better(run, best) {
				best, found = run, true
			}
			if punctual(run) {
				break // a larger margin only costs more
			}
		}
	}
	return best
}

func punctual(r Outcome) bool { return r.LateShare() <= 0.0001 }

func better(a, b Outcome) bool {
	if punctual(a) != punctual(b) {
		return punctual(a)
	}
	if punctual(a) {
		return a.Cost < b.Cost
	}
	return a.Late < b.Late
}

// offeredWork is how many slot-seconds of work came until each step, each photo's work
// spread over as long as it takes.
func offeredWork(photos Photos) []float64 {
	steps := (photos.Seconds+planStep-1)/planStep + 1
	work := make([]float64, steps+1)
	for i, at := range photos.Arrive {
		left := photos.Service[i]
		for step := int(at / planStep); left > 1e-12 && step < steps; step++ {
			part := math.Min(planStep, left)
			work[step+1] += part
			left -= part
		}
	}
	for i := range steps {
		work[i+1] += work[i]
	}
	return work
}

func makePlan(work []float64, plant Plant, window, margin float64) plan {
	steps := len(work) - 1
	back := max(1, int(window/planStep))
	slots := float64(plant.SlotsPerInstance)
	need := make([]int, steps)
	for i := range need {
		from := max(0, i-back)
		load := (work[i+1] - work[from]) / float64((i+1-from)*planStep)
		need[i] = max(plant.Min, min(plant.Max, int(math.Ceil(margin*load/slots-1e-9))))
	}
	keep := fillGaps(need, plant)
	lead := int(math.Ceil(plant.BootSeconds / planStep))
	ordered := make(plan, steps)
	for i := range ordered {
		for _, n := range keep[i:min(steps, i+lead+1)] {
			ordered[i] = max(ordered[i], n)
		}
	}
	return ordered
}

// fillGaps keeps, level by level, what would be needed again within a boot.
func fillGaps(need []int, plant Plant) []int {
	keep := append([]int(nil), need...)
	gap := int(plant.BootSeconds / planStep)
	for level := plant.Min + 1; level <= plant.Max; level++ {
		last := -1
		for i, n := range need {
			if n < level {
				continue
			}
			if last >= 0 && i-last > 1 && i-last <= gap+1 {
				for j := last + 1; j < i; j++ {
					keep[j] = max(keep[j], level)
				}
			}
			last = i
		}
	}
	return keep
}
