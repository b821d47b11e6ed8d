package jobqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// WorkerReading is what a worker tells of itself every few seconds. Its counters begin
// at 0 with its process: only the difference of two readings with the same StartedAt
// means something.
type WorkerReading struct {
	Worker      string    `json:"worker"`
	Instance    string    `json:"instance"` // by which it is joined with the door beside it
	StartedAt   time.Time `json:"started_at"`
	CPU         float64   `json:"cpu"` // share of the machine, 0 to 1
	Slots       int       `json:"slots"`
	Busy        int       `json:"busy"`         // photos in hand, one a slot
	Jobs        int64     `json:"jobs"`         // done, however they ended
	BusySeconds float64   `json:"busy_seconds"` // of all slots, those at work included
	Draining    bool      `json:"draining"`
	Heard       `json:"-"`
}

// DoorReading is what the front door of an instance tells of itself every few seconds.
// Its counter is to be read like a worker's.
type DoorReading struct {
	Instance  string    `json:"instance"`
	StartedAt time.Time `json:"started_at"`
	Requests  int64     `json:"requests"` // answered, without those of health checks
	Ready     bool      `json:"ready"`    // for traffic
	// What the door did last for all; nil: nothing since it started.
	Dispatched *Deed `json:"dispatched,omitempty"`
	Erased     *Deed `json:"erased,omitempty"`
	Heard      `json:"-"`
}

// Deed is what was done with photos, one after the other, and when it ended.
type Deed struct {
	At     time.Time `json:"at"` // by the clock of who did it
	Photos int       `json:"photos"`
}

// Heard is when the broker got a reading, by the broker's clock alone: the clocks of
// who told it and of who reads it do not matter.
type Heard struct {
	At  time.Time
	Age time.Duration // when it was read
}

func (h *Heard) hear(m telemetryMessage) { *h = m.heard }

// ReportWorker tells a reading. One that the broker did not take is lost: told later it
// would pass for a fresh one.
func (q *Queue) ReportWorker(ctx context.Context, r WorkerReading) error {
	return q.report(ctx, workerTelemetrySubject(r.Worker), r)
}

// ReportDoor tells a reading, as ReportWorker does.
func (q *Queue) ReportDoor(ctx context.Context, r DoorReading) error {
	return q.report(ctx, doorTelemetrySubject(r.Instance), r)
}

func (q *Queue) report(ctx context.Context, subject string, reading any) error {
	data, err := json.Marshal(reading)
	if err != nil {
		return fmt.Errorf("reporting to %s: %w", subject, err)
	}
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	if _, err := q.js.Publish(ctx, subject, data); err != nil {
		return fmt.Errorf("reporting to %s: %w", subject, classify(err))
	}
	return nil
}

// WorkerReadings gives what was told within the window up to now, the oldest first: by
// one worker, or by all for an empty name. It outlives all of them, and restarts of the
// broker. A reading that is no reading is left out and logged.
func (q *Queue) WorkerReadings(ctx context.Context, worker string, window time.Duration) ([]WorkerReading, error) {
	return readings[WorkerReading](ctx, q, workerTelemetrySubject(anyIfEmpty(worker)), window)
}

// DoorReadings is WorkerReadings for the doors, by instance.
func (q *Queue) DoorReadings(ctx context.Context, instance string, window time.Duration) ([]DoorReading, error) {
	return readings[DoorReading](ctx, q, doorTelemetrySubject(anyIfEmpty(instance)), window)
}

func readings[R any, P interface {
	*R
	hear(m telemetryMessage)
}](ctx context.Context, q *Queue, subject string, window time.Duration) ([]R, error) {
	var all []R
	err := q.readTelemetry(ctx, subject, window, func(m telemetryMessage) {
		var r R
		if err := json.Unmarshal(m.data, &r); err != nil {
			q.log.WarnContext(ctx, "reading cannot be read", "subject", m.subject, "err", err)
			return
		}
		P(&r).hear(m)
		all = append(all, r)
	})
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", subject, err)
	}
	return all, nil
}
