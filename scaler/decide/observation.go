package decide

import (
	"slices"
	"time"
)

// Reading is a number that was read somewhere, and how old it is.
type Reading struct {
	Value float64
	Age   time.Duration
	Known bool // false: it could not be read
}

// tooMuch is more than anything that is counted here comes to.
const tooMuch = 1e18

// usable says whether the number may be reckoned with and remembered: it is known, and
// one of those that a count, a duration or a share can be.
func usable(r Reading) bool {
	return r.Known && r.Value >= 0 && r.Value <= tooMuch // never true of NaN
}

// Observation is what is known at one moment. Counters only rise, except when what
// they count was started anew.
type Observation struct {
	At       time.Time
	Accepted Reading // photos accepted so far: a counter
	Finished Reading // photos that slots are done with so far: a counter
	Worked   Reading // seconds that slots have worked so far: a counter
	Waiting  Reading // photos that wait for a worker, on the broker or in MySQL alone; not those that are held
	InFlight Reading // photos in the hands of workers
	Asking   Reading // pulls that wait at the broker for a photo
	CPU      Reading // mean of all workers over the past two minutes, 0 to 1
	Leader   string  // which server answered for the queue
	Fleet    Fleet
	Boot     time.Duration // from launch to the first pull, measured; 0: not yet
}

// Fleet is the instances, those that drain left out.
type Fleet struct {
	Known     bool
	Age       time.Duration
	Ready     int
	Reporting int             // that have given a sign of life, also those that the list lacks
	Starting  []time.Duration // how long each of those has been starting that are not ready yet
	Others    int             // that the list names and that do not count: leaving, given up, stopped
}

// Size is how many instances there are, ready or starting.
func (f Fleet) Size() int { return f.Ready + len(f.Starting) }

// overdueBoots is after how many boots an instance is no longer waited for.
const overdueBoots = 2.0

// awaited is how long those have been starting that may still become ready. One that
// never does is on the bill, but nothing is left to it, and nobody stays for its sake.
func (f Fleet) awaited(boot float64) []time.Duration {
	return slices.DeleteFunc(slices.Clone(f.Starting), func(age time.Duration) bool {
		return age.Seconds() > overdueBoots*boot
	})
}
