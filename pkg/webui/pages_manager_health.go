package webui

import (
	"strings"
	"time"
)

// StreamRow is a stream or bucket of the broker.
type StreamRow struct {
	Name            string
	Messages        int
	Bytes, MaxBytes int64
	Full            float64 // of its limits, 0 to 1
	Replicas        int
	Oldest          time.Time
}

// ServiceRow is a kind of service, and who of it answers commands.
type ServiceRow struct {
	Name    string
	Answer  int
	Builds  []string
	Slowest time.Duration
}

// BuildsWords are the builds that answer.
func (s ServiceRow) BuildsWords() string { return strings.Join(s.Builds, ", ") }

// DiskRow is when a store has what it took on its disk.
type DiskRow struct {
	Store string
	Word  string // "Every commit"; empty: not known
	Safe  bool   // nothing is lost for good with the power
	Note  string
	Read  Reading
}

// ClockRow is somebody's clock, held against the manager's.
type ClockRow struct {
	Of    string
	Note  string // what goes by it, or whose it is
	Ahead time.Duration
	Apart bool // too far
	Read  Reading
}

// Words say how far it is ahead or behind.
func (c ClockRow) Words() string {
	const nothing = 50 * time.Millisecond // a message takes as long on a bad day
	switch {
	case c.Ahead.Abs() < nothing:
		return "the same"
	case c.Ahead > 0:
		return Duration(c.Ahead) + " ahead"
	default:
		return Duration(-c.Ahead) + " behind"
	}
}

// DutyRow is something that one process does for all.
type DutyRow struct {
	Name, Does string
	Holder     string    // of the lease; empty: nobody
	Who        string    // is that, as people find it
	Instance   string    // on which it runs, if it is a door
	RenewedAt  time.Time // the lease
	DidAt      time.Time // zero: not known
	Did        string
}

// HealthPage fills page "health".
type HealthPage struct {
	Frame
	At           time.Time
	Troubles     []Trouble
	Parts        []PartRow
	Streams      []StreamRow
	StreamsRead  Reading
	Services     []ServiceRow
	ServicesRead Reading
	Disks        []DiskRow
	Clocks       []ClockRow
	Duties       []DutyRow
	DutiesRead   Reading
}
