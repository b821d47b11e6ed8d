package ingest

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// waitForBatch gives the batch once it has ended, or as it stands when d is over.
func (s *Service) waitForBatch(ctx context.Context, b batchView, d time.Duration) (batchView, error) {
	ctx, cancel := context.WithTimeout(ctx, d)
	defer cancel()
	err := s.followBatch(ctx, b.OwnerID, b.ID, func(now batchView) error {
		b = now
		return nil
	})
	return b, err
}

// followBatch calls each with the batch now and whenever it has changed, at most
// once in PollInterval. It returns once the batch has ended, ctx ends, the door stops
// or each fails.
func (s *Service) followBatch(ctx context.Context, owner, id uuid.UUID, each func(batchView) error) error {
	woken, unsubscribe := s.batchHub.subscribe(id) // before looking, so that no change is missed
	defer unsubscribe()
	var told sight
	for {
		var again <-chan time.Time // nobody wakes us for a look that failed
		b, err := s.findBatch(ctx, owner, id)
		switch {
		case err != nil && !away(err):
			return err
		case err != nil:
			again = time.After(s.cfg.Waiting.PollInterval)
		case sightOfBatch(b) != told:
			told = sightOfBatch(b)
			if err := each(b); err != nil {
				return err
			}
			if told.ended {
				return nil
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-again:
		case _, open := <-woken:
			if !open {
				return nil
			}
		}
	}
}

// lookAtBatch is how the hub sees batches.
func (s *Service) lookAtBatch(ctx context.Context, id uuid.UUID) (sight, error) {
	b, err := s.viewBatch(ctx, id)
	return sightOfBatch(b), err
}

func sightOfBatch(b batchView) sight {
	return sight{version: fmt.Sprint(b.State, b.Run, countsOf(b)), ended: b.State.Terminal()}
}
