package ingest

import (
	"context"
	"errors"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
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
	if err := s.admission.admitBatch(); err != nil {
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
	if a, err := attemptOf(c); err == nil && a.again && b.Goes() {
		return s.sendBatch(c, http.StatusAccepted, b) // an earlier try began the run
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

// deletedAnswer says what a deletion removed.
type deletedAnswer struct {
	ID      uuid.UUID     `json:"id"`
	Deleted deletedCounts `json:"deleted"`
}

type deletedCounts struct {
	Photos  int `json:"photos"`
	Objects int `json:"objects"`
	Cached  int `json:"cached"`
	// Pending is how many of the photos have something left, which is removed soon.
	Pending int `json:"pending"`
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
	gone, err := s.store.DeleteBatch(ctx, b.ID)
	if errors.Is(err, jobstore.ErrNotFound) {
		return noSuchBatch().WithCause(err)
	}
	if err != nil {
		return storeProblem("deleting a batch", err)
	}
	s.tel.Log.InfoContext(ctx, "batch deleted", "batch_id", b.ID, "user_id", user.ID, "photos", gone.Items)
	return c.JSON(deletedAnswer{ID: b.ID, Deleted: deletedCounts{Photos: gone.Items, Pending: gone.Items}})
}
