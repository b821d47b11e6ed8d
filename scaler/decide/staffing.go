package decide

import "math"

// serviceVariation is the squared coefficient of variation of a photo's time in a
// slot that staffing assumes.
const serviceVariation = 0.25

// staff is the fewest slots at which at most the share tardy of the photos waits
// longer than the target, under a steady load in slots; at most limit. It is the
// M/G/c queue: Erlang's C with the correction of Allen and Cunneen for the tail.
func staff(load, service, target, tardy float64, limit int) int {
	slots := max(1, int(math.Ceil(load+1e-9)))
	if slots >= limit {
		return limit
	}
	blocked := 1.0 // Erlang's B, by recursion over the slots
	for k := 1; k < limit; k++ {
		c := float64(k)
		blocked = load * blocked / (c + load*blocked)
		if k < slots || c <= load {
			continue
		}
		waits := blocked / (1 - load/c*(1-blocked))
		if waits*math.Exp(-(c-load)/service*target*2/(1+serviceVariation)) <= tardy {
			return k
		}
	}
	return limit
}
