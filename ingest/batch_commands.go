package ingest

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"golang.org/x/sync/errgroup"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// Deleting a batch takes no longer than somebody waits for a page; what is left then
// is removed without them.
const (
	eraseWhileWaiting  = 5 * time.Second
	itemsErasedAtATime = 200
	erasersOfItems     = 8
)

// cancelBatch answers POST /v1/batches/{id}/cancel.
func (s *Service) cancelBatch(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	changed, err := s.store.CancelBatch(ctx, b.ID)
	if err != nil {
		return storeProblem("cancelling a batch", err)
	}
	if b, err = s.findBatch(ctx, user.ID, b.ID); err != nil {
		return err
	}
	switch {
	case changed:
		s.tel.Log.InfoContext(ctx, "batch cancelled", "batch_id", b.ID, "user_id", user.ID)
		return s.sendBatch(c, http.StatusAccepted, b)
	case b.State == job.BatchCancelling || b.State == job.BatchCancelled:
		return s.sendBatch(c, http.StatusOK, b)
	default:
		return conflict("The batch has ended already: it is " + string(b.State) + ".")
	}
}

// retryBatch answers POST /v1/batches/{id}/retry.
func (s *Service) retryBatch(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err != nil {
		return err
	}
	a, err := attemptOf(c)
	if err != nil {
		return err
	}
	if a.again && b.Goes() { // an earlier try began the run
		return s.sendBatch(c, http.StatusAccepted, b)
	}
	if err := s.admitBatch(httpserver.Context(c), user); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	items, err := s.store.RetryBatch(ctx, b.ID)
	if err != nil {
		return storeProblem("retrying a batch", err)
	}
	if items > 0 {
		if b, err = s.findBatch(ctx, user.ID, b.ID); err != nil {
			return err
		}
		s.tel.Log.InfoContext(ctx, "batch retried", "batch_id", b.ID, "user_id", user.ID, "run", b.Run, "photos", items)
		return s.sendBatch(c, http.StatusAccepted, b)
	}
	switch {
	case b.State == job.BatchFailed:
		return conflict("The batch was refused as a whole. Please submit it anew, without the faults that it names.")
	case !b.MayRetry():
		return conflict("A batch can be retried once it has ended, unless it was cancelled: it is " + string(b.State) + ".")
	}
	return s.sendBatch(c, http.StatusOK, b) // nothing failed
}

func conflict(detail string) error {
	return problem.New(http.StatusConflict, problem.CodeConflict, detail)
}

func (s *Service) sendBatch(c *fiber.Ctx, status int, b batchView) error {
	if !b.State.Terminal() {
		c.Set(fiber.HeaderRetryAfter, acceptedRetryAfter)
	}
	return c.Status(status).JSON(newBatchAnswer(b))
}

// deleteBatch answers DELETE /v1/batches/{id}.
func (s *Service) deleteBatch(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err != nil {
		return err
	}
	if !b.State.Terminal() {
		return conflict("The batch has not ended: it is " + string(b.State) + ". Please cancel it first.")
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	gone, err := s.eraser.markBatch(ctx, b.ID)
	if errors.Is(err, jobstore.ErrNotFound) {
		return noSuchBatch().WithCause(err)
	}
	if err != nil {
		return storeProblem("deleting a batch", err)
	}
	removed := s.eraseItems(ctx, b.Batch)
	s.eraser.nudge()
	removed.Pending = gone.Items - removed.Photos // what is left is removed soon
	s.tel.Log.InfoContext(ctx, "batch deleted", "batch_id", b.ID, "user_id", user.ID, "photos", gone.Items, "pending", removed.Pending)
	return c.JSON(newDeleted(b.ID, removed))
}

// eraseItems removes what is kept of a deleted batch's photos, as many as can be done
// while somebody waits, and says what it was.
func (s *Service) eraseItems(ctx context.Context, b job.Batch) erased {
	ctx, cancel := context.WithTimeout(ctx, eraseWhileWaiting)
	defer cancel()
	var total erased
	for ctx.Err() == nil {
		items, err := s.store.ItemsToErase(ctx, b.ID, itemsErasedAtATime)
		if err != nil || len(items) == 0 {
			return total
		}
		done := make([]erased, len(items))
		var erasing errgroup.Group
		erasing.SetLimit(erasersOfItems)
		for i, item := range items {
			erasing.Go(func() error {
				if ctx.Err() == nil {
					done[i] = s.eraser.finish(ctx, item)
				}
				return nil
			})
		}
		_ = erasing.Wait() // each says for itself what came of it
		before := total.Photos
		for _, d := range done {
			total.add(d)
		}
		if total.Photos == before { // something is away
			return total
		}
	}
	return total
}
