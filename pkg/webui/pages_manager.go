package webui

import (
	"time"

	"maskfleet/pkg/job"
)

// Reading is how fresh a part of the manager's page is.
type Reading struct {
	At    time.Time // of the value shown; zero when there was none yet
	Stale bool      // the part does not answer: the value is an old one
}

// Known says that there is a value to show.
func (r Reading) Known() bool { return !r.At.IsZero() }

// WorkerRow is a worker on the manager's page.
type WorkerRow struct {
	ID       string
	Instance string
	Version  string
	Model    string
	Slots    int
	Busy     int
	Draining bool
	CPU      float64 // 0 to 1
	SeenAt   time.Time
	Since    time.Time
}

// StateClass names the worker's state for its badge.
func (w WorkerRow) StateClass() string {
	switch {
	case w.Draining:
		return "draining"
	case w.Busy > 0:
		return "busy"
	default:
		return "idle"
	}
}

// StateWord is the worker's state as people read it.
func (w WorkerRow) StateWord() string {
	switch w.StateClass() {
	case "draining":
		return "Draining"
	case "busy":
		return "Busy"
	default:
		return "Idle"
	}
}

// LaneRow is a lane of the queue.
type LaneRow struct {
	Lane     job.Lane
	Pending  int
	InFlight int
}

// StateRow counts the photos in a state.
type StateRow struct {
	State  job.State
	Photos int
}

// Trouble is a part that does not answer.
type Trouble struct {
	Part  string // "MySQL"
	Since time.Time
	Means string // a sentence: what it means for the work
}

// OverviewPage fills page "overview".
type OverviewPage struct {
	Frame
	At       time.Time
	Troubles []Trouble

	Workers      []WorkerRow
	WorkersRead  Reading
	Lanes        []LaneRow
	LanesRead    Reading
	States       []StateRow
	OldestQueued time.Duration
	StatesRead   Reading
	DeadLetters  int
	DeadRead     Reading
}

// Slots adds up the slots of all workers.
func (p OverviewPage) Slots() int {
	n := 0
	for _, w := range p.Workers {
		n += w.Slots
	}
	return n
}

// Busy adds up the busy slots of all workers.
func (p OverviewPage) Busy() int {
	n := 0
	for _, w := range p.Workers {
		n += w.Busy
	}
	return n
}

// Photos is how many photos are in the state.
func (p OverviewPage) Photos(s job.State) int {
	for _, row := range p.States {
		if row.State == s {
			return row.Photos
		}
	}
	return 0
}
