package scaler

import (
	"math"
	"slices"
	"time"

	"maskfleet/scaler/decide"
)

// observe makes of what was sensed what the decision wants to know.
func (s *senses) observe(now time.Time, c census, known bool) decide.Observation {
	o := decide.Observation{At: now, Boot: s.bootTime()}
	if accepted, at := s.accepted.last(); !at.IsZero() {
		o.Accepted = decide.Reading{Value: accepted, Age: now.Sub(at), Known: true}
	}
	if b, at := s.backlog.last(); !at.IsZero() {
		reading := func(n int) decide.Reading { return decide.Reading{Value: float64(n), Age: now.Sub(at), Known: true} }
		o.Waiting, o.InFlight, o.Asking, o.Leader = reading(b.waiting), reading(b.inFlight), reading(b.asking), b.leader
	}
	if w, at := s.work.last(); !at.IsZero() {
		age := now.Sub(at) + w.heard
		o.Finished = decide.Reading{Value: w.finished, Age: age, Known: !w.silent}
		o.Worked = decide.Reading{Value: w.worked, Age: age, Known: !w.silent}
	}
	// A reading is of the minute that began then, and the CPU's of the one before, too.
	if cpu, at := s.cpu.last(); !at.IsZero() && !math.IsNaN(cpu.Value) {
		o.CPU = decide.Reading{Value: cpu.Value, Age: now.Sub(cpu.At.Add(time.Minute)), Known: true}
	}
	if known {
		o.Fleet = decide.Fleet{Known: true, Age: now.Sub(c.at), Ready: c.count(ready), Reporting: c.reporting}
		o.Fleet.Others = len(c.members) - c.size()
		for _, m := range c.in(starting) {
			o.Fleet.Starting = append(o.Fleet.Starting, max(0, now.Sub(m.LaunchedAt)))
		}
	}
	return o
}

// bootTime is what nine of ten boots of late did not take longer than; 0: none was
// measured.
func (s *senses) bootTime() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.boots) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(s.boots))
	return sorted[len(sorted)*9/10]
}

func (s *senses) bootsOfLate() []time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.boots)
}

// inherit takes over boots that another has measured.
func (s *senses) inherit(boots []time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.boots) == 0 {
		s.boots = boots
	}
}
