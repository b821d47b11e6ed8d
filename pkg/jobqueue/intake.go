package jobqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// keyIntake is where the pause of the intake stands in CONFIG.
const keyIntake = "features.intake"

// Intake says whether front doors take anything in.
type Intake struct {
	PausedUntil time.Time `json:"paused_until,omitzero"` // zero, or in the past: they do
	Reason      string    `json:"reason,omitempty"`      // for operators
	By          string    `json:"by,omitempty"`
}

// Paused says whether nothing is taken in at the moment.
func (i Intake) Paused(now time.Time) bool { return now.Before(i.PausedUntil) }

// SetIntake pauses the intake for all front doors, or opens it with the zero Intake. It
// outlives restarts of everything but the loss of the broker's store.
func (q *Queue) SetIntake(ctx context.Context, i Intake) error {
	data, err := json.Marshal(i)
	if err != nil {
		return fmt.Errorf("setting the intake: %w", err)
	}
	return q.putConfig(ctx, keyIntake, data)
}

// Intake reads what SetIntake wrote last, the zero Intake if nothing. A value that
// somebody put there by hand and that cannot be read is an error.
func (q *Queue) Intake(ctx context.Context) (i Intake, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		entry, err := entryOf(ctx, kv, keyIntake)
		if entry == nil {
			return err
		}
		return json.Unmarshal(entry.Value(), &i)
	})
	if err != nil {
		return Intake{}, fmt.Errorf("reading the intake: %w", err)
	}
	return i, nil
}
