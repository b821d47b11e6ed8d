package webui

import (
	"time"

	"maskfleet/pkg/job"
)

// ShareRow is what an owner has in the lane of batches.
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

	Line            int           // photos outside of batches that wait and are due
	LineOldest      time.Duration // since the first of them became due
	Outside         int           // photos outside of batches that wait in MySQL alone
	Batches         int           // that are going on
	BatchOldest     time.Duration // since the oldest of them was made
	BatchItems      int           // that have not ended
	BatchesOnBroker int           // of them, that wait on the broker
	Shares          []ShareRow
	WaitingRead     Reading
}

// Oldest says how long the oldest photo of a lane has waited.
func (p QueuePage) Oldest(lane job.Lane) string {
	switch {
	case !p.WaitingRead.Known():
		return "\u2013"
	case lane == job.LaneInteractive && p.Line > 0:
		return Duration(p.LineOldest)
	case lane == job.LaneBatch && p.Batches > 0:
		return "batch from " + Duration(p.BatchOldest) + " ago"
	default:
		return "\u2013"
	}
}

// InMySQL is how many photos wait there alone.
func (p QueuePage) InMySQL() int { return p.Outside + max(0, p.BatchItems-p.BatchesOnBroker) }

// PausePage fills page "pause": for how long, and why.
type PausePage struct {
	Frame
	Heading, Means string
	Lane           job.Lane // "": the intake
	Action, Back   string
	Does           Command
}
