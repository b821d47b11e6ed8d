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
	CPU      float64     // 0 to 1
	Photo    InstanceRow // what a photo takes on its instance
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
	Lane        job.Lane
	Pending     int
	InFlight    int
	Asking      int       // workers that wait for a photo of it
	PausedUntil time.Time // zero: it is not paused
	KeptFor     string    // the only worker that takes from it, for a trial; empty: there is none
	PausedBy    string    // "": by nobody who used a command or a page
	PauseReason string
}

// PauseWords are by whom the lane is paused, and why.
func (l LaneRow) PauseWords() string {
	if l.PausedBy == "" {
		return "by somebody at the broker itself"
	}
	words := "by " + l.PausedBy
	if l.PauseReason != "" {
		words += ": " + l.PauseReason
	}
	return words
}

// Pause is a pause of the intake.
type Pause struct {
	Until  time.Time
	Reason string
	By     string
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

// PartRow is a store, and how it answers.
type PartRow struct {
	Name, Does string
	Took       time.Duration // the last answer
	AwaySince  time.Time     // zero: it answers
	Read       Reading
	Facts      []Fact // that it says of itself
	Console    string // its console's address; empty: not known
}

// Pace is what happened in each of the last minutes, the oldest first and the one
// that is going on last.
type Pace struct {
	Accepted, Finished, Failed []int
}

// last is the value of the minute that is going on.
func last(minutes []int) int {
	if len(minutes) == 0 {
		return 0
	}
	return minutes[len(minutes)-1]
}

// DecisionRow is a run of scaling decisions that came to the same.
type DecisionRow struct {
	Since, At    time.Time // the first and the last of them
	Ticks        int
	Policy       string
	Size, Target int
	Blind        bool // the readings were not trusted
	Overridden   bool // a person decided
	Reason       string
}

// Words says what was decided.
func (d DecisionRow) Words() string {
	switch {
	case d.Target > d.Size:
		return "Grow from " + Number(d.Size) + " to " + Count(d.Target, "instance", "instances")
	case d.Target < d.Size:
		return "Shrink from " + Number(d.Size) + " to " + Count(d.Target, "instance", "instances")
	default:
		return "Keep " + Count(d.Size, "instance", "instances")
	}
}

// ScalingNews is what was decided last.
type ScalingNews struct {
	Last   *DecisionRow // nil: nobody ever scaled
	Silent bool         // and nobody has for a while
	Change *DecisionRow // the last that wanted another size, if that is not Last
}

// OverviewPage fills page "overview".
type OverviewPage struct {
	Frame
	At       time.Time
	Troubles []Trouble
	Parts    []PartRow
	Intake   *Pause // nil: photos are taken in

	Queued, Processing int
	Oldest             time.Duration // since the oldest queued photo became due
	OpenRead           Reading
	Pace               Pace
	PaceRead           Reading
	Workers            []WorkerRow
	WorkersRead        Reading
	PhotoTime          time.Duration // that a photo usually takes
	Slowest            Slowest
	Lanes              []LaneRow
	LanesRead          Reading
	SentNow            SentNow
	SentRead           Reading
	States             []StateRow
	StatesRead         Reading
	Failures           int // that nobody has dealt with
	FailuresRead       Reading
	Scaling            ScalingNews
	ScalingRead        Reading
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

// Draining counts the workers that take no more photos.
func (p OverviewPage) Draining() int {
	n := 0
	for _, w := range p.Workers {
		if w.Draining {
			n++
		}
	}
	return n
}

// mostWorkers is how many the first page shows: it is told anew once a second.
const mostWorkers = 50

// FirstWorkers are as many as the page shows.
func (p OverviewPage) FirstWorkers() []WorkerRow { return p.Workers[:min(len(p.Workers), mostWorkers)] }

// MoreWorkers is how many it does not.
func (p OverviewPage) MoreWorkers() int { return max(0, len(p.Workers)-mostWorkers) }

// OldestWords says how long the oldest waiting photo has waited, and when all are done.
func (p OverviewPage) OldestWords() string {
	switch {
	case !p.OpenRead.Known():
		return ""
	case p.Queued == 0:
		return "none waits"
	default:
		words := "the oldest for " + Duration(p.Oldest)
		if done := p.SentNow.AllDone(); done != "" && p.SentRead.Known() {
			words += ", " + done
		}
		return words
	}
}

// SlotsWords says of how many slots some are busy.
func (p OverviewPage) SlotsWords() string {
	if !p.WorkersRead.Known() {
		return ""
	}
	return "of " + Number(p.Slots())
}

// WorkersWords says how many workers there are.
func (p OverviewPage) WorkersWords() string {
	if !p.WorkersRead.Known() {
		return ""
	}
	words := Count(len(p.Workers), "worker", "workers")
	if n := p.Draining(); n > 0 {
		words += ", " + Number(n) + " draining"
	}
	return words
}
