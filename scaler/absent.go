package scaler

import (
	"maps"

	"maskfleet/pkg/jobqueue"
)

// absent are the instances that worked when they were last listed. EC2 may answer with
// an empty list by mistake, or with a part of it; that the others' workers are alive tells
// it from a fleet that is gone.
type absent map[string]bool

// count says how many of them the census lacks although their workers give signs of life.
// Others than these do not count: an instance that a person launched is not the scaler's.
func (a absent) count(c census, workers []jobqueue.Worker) (n int) {
	alive := make(map[string]bool, len(workers))
	for _, w := range workers {
		if !w.Drain.OfInstance() {
			alive[w.Instance] = true
		}
	}
	listed := make(map[string]bool, len(c.members))
	for i := range c.members {
		m := &c.members[i]
		listed[m.ID] = true
		if m.role == ready {
			a[m.ID] = true
		} else {
			delete(a, m.ID)
		}
	}
	if len(listed) > 0 { // else nobody can be told from those that are gone
		maps.DeleteFunc(a, func(id string, _ bool) bool { return !listed[id] && !alive[id] })
	}
	for id := range a {
		if alive[id] && !listed[id] {
			n++
		}
	}
	return n
}
