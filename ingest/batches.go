package ingest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

func batchPath(id uuid.UUID) string { return apiRoot + "/batches/" + id.String() }

// batchOf is the batch in the address, if it is the user's own.
func (s *Service) batchOf(c *fiber.Ctx, user jobstore.User) (batchView, error) {
	id, err := photoID(c.Params("id"))
	if err != nil {
		return batchView{}, noSuchBatch().WithCause(err)
	}
	return s.findBatch(httpserver.Context(c), user.ID, id)
}

// findBatch gives a batch of the owner. Somebody else's is not found.
func (s *Service) findBatch(ctx context.Context, owner, id uuid.UUID) (batchView, error) {
	view, err := s.viewBatch(ctx, id)
	switch {
	case errors.Is(err, jobstore.ErrNotFound):
		return batchView{}, noSuchBatch().WithCause(err)
	case err != nil:
		return batchView{}, storeProblem("finding a batch", err)
	case view.OwnerID != owner:
		return batchView{}, noSuchBatch()
	}
	return view, nil
}

func noSuchBatch() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such batch.")
}

func (s *Service) viewBatch(ctx context.Context, id uuid.UUID) (batchView, error) {
	ctx, cancel := context.WithTimeout(ctx, findTimeout)
	defer cancel()
	b, err := s.store.FindBatch(ctx, id)
	if err != nil {
		return batchView{}, err
	}
	views, err := s.viewBatches(ctx, b)
	if err != nil {
		return batchView{}, err
	}
	return views[0], nil
}

// viewBatches adds what the rows do not say of batches that are not at rest.
func (s *Service) viewBatches(ctx context.Context, batches ...job.Batch) ([]batchView, error) {
	var going []uuid.UUID
	for _, b := range batches {
		if b.Counts.Remaining > 0 {
			going = append(going, b.ID)
		}
	}
	inHand, err := s.store.InHand(ctx, going...)
	if err != nil {
		return nil, err
	}
	views := make([]batchView, len(batches))
	for i, b := range batches {
		views[i] = batchView{Batch: b, inHand: inHand[b.ID]}
		if done, ok := s.estimator.Batch(ctx, b); ok {
			views[i].done = done
		}
	}
	return views, nil
}

// listBatches answers GET /v1/batches.
func (s *Service) listBatches(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	filter := jobstore.BatchFilter{OwnerID: user.ID}
	if filter.State, err = oneOf(c, "status", job.BatchStates()); err != nil {
		return err
	}
	if filter.Before, err = afterID(c); err != nil {
		return err
	}
	size, err := pageSize(c)
	if err != nil {
		return err
	}
	filter.Limit = size + 1
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	batches, err := s.store.ListBatches(ctx, filter)
	if err != nil {
		return storeProblem("listing batches", err)
	}
	views, err := s.viewBatches(ctx, batches...)
	if err != nil {
		return storeProblem("listing batches", err)
	}
	return c.JSON(newList(views, size, newBatchAnswer, func(b batchView) string { return b.ID.String() }))
}

// getBatch answers GET /v1/batches/{id}?wait=N.
func (s *Service) getBatch(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	wait, err := s.queriedWait(c)
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err == nil && wait > 0 {
		b, err = s.waitForBatch(httpserver.Context(c), b, wait)
	}
	if err != nil {
		return err
	}
	if !b.State.Terminal() {
		c.Set(fiber.HeaderRetryAfter, acceptedRetryAfter)
	}
	return sendTagged(c, newBatchAnswer(b))
}

// sendTagged answers with a document and its ETag, or with 304.
func sendTagged(c *fiber.Ctx, document any) error {
	body, err := json.Marshal(document)
	if err != nil {
		return fmt.Errorf("encoding an answer: %w", err)
	}
	return sendTaggedJSON(c, body)
}

func sendTaggedJSON(c *fiber.Ctx, body []byte) error {
	tag := etagOf(body)
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(http.StatusNotModified)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(body)
}

// listItems answers GET /v1/batches/{id}/items.
func (s *Service) listItems(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err != nil {
		return err
	}
	filter := jobstore.ItemFilter{BatchID: b.ID}
	if filter.State, err = oneOf(c, "status", job.States()); err != nil {
		return err
	}
	if filter.Category, err = oneOf(c, "category", job.Categories()); err != nil {
		return err
	}
	if filter.After, err = afterLine(c); err != nil {
		return err
	}
	size, err := pageSize(c)
	if err != nil {
		return err
	}
	filter.Limit = size + 1
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	items, err := s.store.Items(ctx, filter)
	if err != nil {
		return storeProblem("listing the items of a batch", err)
	}
	return c.JSON(newList(items, size, s.described(ctx), func(p job.Photo) string { return strconv.Itoa(p.BatchLine) }))
}
