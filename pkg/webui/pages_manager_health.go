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
	ScaledAt     time.Time // when a scaler decided last
	ScalerRead   Reading
}
