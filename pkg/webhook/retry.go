package webhook

import (
	"math/rand/v2"
	"time"
)

// jitter is the part of a wait by which it may be longer, so that what failed at one
// moment does not all come back at one moment.
const jitter = 0.1

// Wait gives how long to wait after a delivery failed for the nth time, n from 1, and
// whether it is tried again at all.
func Wait(schedule []time.Duration, n int) (time.Duration, bool) {
	if n < 1 || n > len(schedule) {
		return 0, false
	}
	wait := schedule[n-1]
	return wait + time.Duration(rand.Float64()*jitter*float64(wait)), true
}
