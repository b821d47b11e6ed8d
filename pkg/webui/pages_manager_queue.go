package webui

import (
	"time"

	"maskfleet/pkg/job"
)

// ShareRow is what an owner has in batches, whatever lane an item is in.
type ShareRow struct {
	Owner     string
	Batches   int
	Remaining int     // items that have not ended
	OnBroker  int     // of them, that wait on the broker
	Share     float64 // of all that wait there, 0 to 1
}

// QueuePage fills page "queue".
type QueuePage struct {
	Frame
	At         time.Time
	Troubles   []Trouble
	Lanes      []LaneRow
	LanesRead  Reading
	SentNow    SentNow
	SentRead   Reading
	Intake     *Pause // nil: photos are taken in
	IntakeRead Reading

	Waiting     map[job.Lane]Waiting
	InMySQL     int // of all that wait, those that are not on the broker
	Outside     int // of those, in no batch
	Shares      []ShareRow
	WaitingRead Reading // of these four
}

// Waiting is what of a lane waits, wherever it lies.
type Waiting struct {
	Photos int
	Oldest time.Duration // since the first of them became due
}

// Waits is how many photos of a lane wait.
func (p QueuePage) Waits(lane job.Lane) string {
	return valueOf(p.WaitingRead, Number(p.Waiting[lane].Photos))
}

// Oldest says how long the oldest photo of a lane has waited.
func (p QueuePage) Oldest(lane job.Lane) string {
	w := p.Waiting[lane]
	if w.Photos == 0 || w.Oldest == 0 {
		return "\u2013"
	}
	return Duration(w.Oldest)
}

// AllWait is how many photos of all lanes wait.
func (p QueuePage) AllWait() string {
	n := 0
	for _, w := range p.Waiting {
		n += w.Photos
	}
	return valueOf(p.WaitingRead, Number(n))
}

// AllLanes adds up what the broker says of them.
func (p QueuePage) AllLanes() LaneRow {
	var all LaneRow
	for _, l := range p.Lanes {
		all.Pending, all.InFlight = all.Pending+l.Pending, all.InFlight+l.InFlight
	}
	return all
}

// InBatches is how many of those that wait in MySQL alone are items of batches.
func (p QueuePage) InBatches() int { return p.InMySQL - p.Outside }

// PausePage fills page "pause": for how long, and why.
type PausePage struct {
	Frame
	Heading, Means string
	Lane           job.Lane // "": the intake
	Action, Back   string
	Does           Command
}
