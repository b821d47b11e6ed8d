package faults

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"maskfleet/deployments/local/aws/host"
	"maskfleet/deployments/local/aws/wire"
)

// Fault is one that was asked for. It holds until it is taken back or, where Calls or
// Launches or Left say so, until it is used up.
type Fault struct {
	Kind       Kind     `json:"kind"`
	Operations []string `json:"operations,omitempty"` // concerned; empty: all
	Calls      int      `json:"calls,omitempty"`      // so many only; 0: all
	Rate       float64  `json:"rate,omitempty"`       // calls a second that still pass; 0: none
	Code       string   `json:"code,omitempty"`       // of AWS
	Status     int      `json:"status,omitempty"`     // of HTTP
	Zones      []string `json:"zones,omitempty"`      // concerned; empty: all
	Types      []string `json:"types,omitempty"`      // concerned; empty: all
	Left       int      `json:"left,omitempty"`       // instances that can still be had
	Launches   int      `json:"launches,omitempty"`   // so many boots only; 0: all
	For        string   `json:"for,omitempty"`        // a duration, such as "5s"

	passed    float64 // tokens of a rate
	passedAt  time.Time
	unseenFor time.Duration
	limited   bool // Calls or Launches was given
}

// Kind is what goes wrong.
type Kind string

// The kinds.
const (
	Throttling Kind = "throttling"          // calls are refused: asked too often
	Error      Kind = "error"               // calls are refused with Code and Status
	LostAnswer Kind = "lost-answer"         // calls are done, and the connection breaks before the answer
	Expired    Kind = "expired-credentials" // credentials are no longer good
	Capacity   Kind = "capacity"            // only Left more instances can be had
	Unseen     Kind = "unseen"              // new instances are not known for a while
	Frozen     Kind = "frozen"              // lists of instances are as old as this fault
	Empty      Kind = "empty"               // lists of instances hold nothing
	NeverBoots Kind = "never-boots"         // machines run and start no program
	Hangs      Kind = "hangs"               // machines start their programs, which stand still
)

func kinds() []Kind {
	return []Kind{Throttling, Error, LostAnswer, Expired, Capacity, Unseen, Frozen, Empty, NeverBoots, Hangs}
}

func (f *Fault) prepare() error {
	f.limited = f.Calls > 0 || f.Launches > 0
	f.passedAt = time.Now()
	switch {
	case !slices.Contains(kinds(), f.Kind):
		return fmt.Errorf("there is no fault %q; there are %q", f.Kind, kinds())
	case f.Kind == Error && (f.Code == "" || f.Status < 400 || f.Status > 599):
		return errors.New("an error needs a code and a status from 400 to 599")
	case f.Calls < 0 || f.Launches < 0 || f.Left < 0 || f.Rate < 0:
		return errors.New("a number is negative")
	}
	if f.Kind != Unseen {
		return nil
	}
	unseen, err := time.ParseDuration(f.For)
	if err != nil || unseen <= 0 {
		return fmt.Errorf("a fault of the kind %s needs a duration in \"for\"", Unseen)
	}
	f.unseenFor = unseen
	return nil
}

// Set holds the faults of the moment. It may be used by many at once.
type Set struct {
	mu     sync.Mutex // guards faults
	faults []*Fault   // used up ones are taken out
}

// Put adds a fault.
func (s *Set) Put(f Fault) error {
	if err := f.prepare(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
	return nil
}

// Clear takes back the faults of one kind, or all.
func (s *Set) Clear(kind Kind) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = slices.DeleteFunc(s.faults, func(f *Fault) bool { return kind == "" || f.Kind == kind })
}

// List gives those that hold now.
func (s *Set) List() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []Fault{}
	for _, f := range s.faults {
		all = append(all, *f)
	}
	return all
}

// use finds the first fault of the kind that concerns something and lets it count.
// With mu held.
func (s *Set) use(kind Kind, of func(*Fault) bool) *Fault {
	i := slices.IndexFunc(s.faults, func(f *Fault) bool { return f.Kind == kind && of(f) })
	if i < 0 {
		return nil
	}
	f := s.faults[i]
	if !f.limited {
		return f
	}
	left := &f.Calls
	if f.Launches > 0 {
		left = &f.Launches
	}
	if *left--; *left == 0 {
		s.faults = slices.Delete(s.faults, i, i+1)
	}
	return f
}

func concerns(list []string, one string) bool { return len(list) == 0 || slices.Contains(list, one) }

// Before refuses a call.
func (s *Set) Before(call wire.Call) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	concerned := func(f *Fault) bool { return concerns(f.Operations, call.Operation) }
	if s.use(Expired, concerned) != nil {
		return wire.Expired(call.Dialect)
	}
	if s.use(Throttling, func(f *Fault) bool { return concerned(f) && !f.passes(time.Now()) }) != nil {
		return wire.Throttled(call.Dialect)
	}
	if f := s.use(Error, concerned); f != nil {
		return &wire.Error{Code: f.Code, Message: "This error was asked for.", Status: f.Status}
	}
	return nil
}

// passes lets the calls of a rate through, as many at once as come in a second.
func (f *Fault) passes(now time.Time) bool {
	if f.Rate == 0 {
		return false
	}
	f.passed = min(f.passed+f.Rate*now.Sub(f.passedAt).Seconds(), max(f.Rate, 1))
	f.passedAt = now
	if f.passed < 1 {
		return false
	}
	f.passed--
	return true
}

// LosesAnswer says that a call that was done is not answered.
func (s *Set) LosesAnswer(call wire.Call) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.use(LostAnswer, func(f *Fault) bool { return concerns(f.Operations, call.Operation) }) != nil
}

// Capacity is how many instances can still be had, where that is bounded.
func (s *Set) Capacity(zone, instanceType string) (left int, bounded bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.capacities(zone, instanceType) {
		if !bounded || f.Left < left {
			left, bounded = f.Left, true
		}
	}
	return left, bounded
}

// Took says that some of them are gone.
func (s *Set) Took(zone, instanceType string, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.capacities(zone, instanceType) {
		f.Left = max(0, f.Left-count)
	}
}

func (s *Set) capacities(zone, instanceType string) []*Fault {
	var all []*Fault
	for _, f := range s.faults {
		if f.Kind == Capacity && concerns(f.Zones, zone) && concerns(f.Types, instanceType) {
			all = append(all, f)
		}
	}
	return all
}

// Boot is what goes wrong at the next boot.
func (s *Set) Boot() host.Trouble {
	s.mu.Lock()
	defer s.mu.Unlock()
	everyone := func(*Fault) bool { return true }
	if s.use(NeverBoots, everyone) != nil {
		return host.NeverBoots
	}
	if s.use(Hangs, everyone) != nil {
		return host.Hangs
	}
	return host.NoTrouble
}

// Unseen is how long a new instance is not known.
func (s *Set) Unseen() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f := s.use(Unseen, func(*Fault) bool { return true }); f != nil {
		return f.unseenFor
	}
	return 0
}

// Frozen says that lists are as old as the fault.
func (s *Set) Frozen() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.faults, func(f *Fault) bool { return f.Kind == Frozen })
}

// Empty says that this list holds nothing.
func (s *Set) Empty() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.use(Empty, func(*Fault) bool { return true }) != nil
}
