package jobqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
)

// keyPause is where stands in CONFIG who paused a lane: the broker itself keeps until
// when, and nothing else.
func keyPause(lane job.Lane) string { return "features.pause." + string(lane) }

// LanePause is who paused a lane, and why.
type LanePause struct {
	Until  time.Time `json:"until"` // by which it is known to be of the pause that goes on
	By     string    `json:"by,omitempty"`
	Reason string    `json:"reason,omitempty"`
}

// Of says whether it is about the pause that ends at until. The broker tells what is
// left of one, which is rounded on its way.
func (p LanePause) Of(until time.Time) bool {
	return !p.Until.IsZero() && p.Until.Sub(until).Abs() < 2*time.Second
}

// NotePause writes down who pauses a lane, before PauseLane does it.
func (q *Queue) NotePause(ctx context.Context, lane job.Lane, p LanePause) error {
	data, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("noting a pause: %w", err)
	}
	return q.putConfig(ctx, keyPause(lane), data)
}

// LanePauses are what was noted last of each lane. What cannot be read was typed by
// somebody, and says nothing.
func (q *Queue) LanePauses(ctx context.Context) (map[job.Lane]LanePause, error) {
	all := map[job.Lane]LanePause{}
	err := q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		for _, lane := range job.Lanes() {
			entry, err := entryOf(ctx, kv, keyPause(lane))
			if err != nil {
				return err
			}
			var p LanePause
			if entry != nil && json.Unmarshal(entry.Value(), &p) == nil {
				all[lane] = p
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading who paused the lanes: %w", err)
	}
	return all, nil
}

// PauseLane gives out no photo of the lane until then; the broker ends the pause by
// itself, also over its restart. Work in hand goes on, and what is accepted waits.
func (q *Queue) PauseLane(ctx context.Context, lane job.Lane, until time.Time) error {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	if _, err := q.js.PauseConsumer(ctx, StreamJobs, ConsumerOf(lane), until); err != nil {
		return fmt.Errorf("pausing %s: %w", lane, classify(err))
	}
	return nil
}

// ResumeLane ends a pause; without one it changes nothing.
func (q *Queue) ResumeLane(ctx context.Context, lane job.Lane) error {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	if _, err := q.js.ResumeConsumer(ctx, StreamJobs, ConsumerOf(lane)); err != nil {
		return fmt.Errorf("resuming %s: %w", lane, classify(err))
	}
	return nil
}
