package jobqueue

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

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
