package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// testWebhook answers POST /v1/webhooks/{id}/test: an event that nothing caused is
// sent, once.
func (s *Service) testWebhook(c *fiber.Ctx) error {
	return s.withWebhook(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		d, err := s.sendTest(ctx, w)
		if err != nil {
			return err
		}
		return s.answerAccepted(c, d)
	})
}

func (s *Service) sendTest(ctx context.Context, w jobstore.Webhook) (jobstore.Delivery, error) {
	if err := mustBeEnabled(w); err != nil {
		return jobstore.Delivery{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return jobstore.Delivery{}, fmt.Errorf("making a test: %w", err)
	}
	if err := s.store.AddTestDelivery(ctx, w.ID, id); err != nil {
		return jobstore.Delivery{}, webhookProblem("making a test", err)
	}
	s.deliverer.poke()
	d, err := s.store.FindDelivery(ctx, w.ID, id)
	return d, webhookProblem("finding a test", err)
}

// mustBeEnabled refuses to promise what would not be kept.
func mustBeEnabled(w jobstore.Webhook) error {
	if w.DisabledAt.IsZero() {
		return nil
	}
	return problem.New(http.StatusConflict, problem.CodeConflict, "The webhook is disabled. Please enable it first.")
}

// listDeliveries answers GET /v1/webhooks/{id}/deliveries?status=.
func (s *Service) listDeliveries(c *fiber.Ctx) error {
	return s.withWebhook(c, findTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		state, err := oneOf(c, "status", jobstore.DeliveryStates())
		if err != nil {
			return err
		}
		before, err := afterID(c)
		if err != nil {
			return err
		}
		size, err := pageSize(c)
		if err != nil {
			return err
		}
		found, err := s.store.ListDeliveries(ctx, jobstore.DeliveryFilter{WebhookID: w.ID, State: state, Before: before, Limit: size + 1})
		if err != nil {
			return storeProblem("listing webhook deliveries", err)
		}
		answers := make([]deliveryAnswer, len(found))
		for i, d := range found {
			if answers[i], err = s.newDeliveryAnswer(d); err != nil {
				return err
			}
		}
		return c.JSON(newList(answers, size, func(a deliveryAnswer) deliveryAnswer { return a }, func(a deliveryAnswer) string { return a.ID.String() }))
	})
}

// getDelivery answers GET /v1/webhooks/{id}/deliveries/{delivery}.
func (s *Service) getDelivery(c *fiber.Ctx) error {
	return s.withWebhook(c, findTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		d, err := s.deliveryOf(ctx, c, w)
		if err != nil {
			return err
		}
		return s.answerDelivery(c, d)
	})
}

// redeliver answers POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver: the same
// message goes out again, whatever came of it.
func (s *Service) redeliver(c *fiber.Ctx) error {
	return s.withWebhook(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		d, err := s.deliveryOf(ctx, c, w)
		if err == nil {
			d, err = s.sendAgain(ctx, w, d)
		}
		if err != nil {
			return err
		}
		return s.answerAccepted(c, d)
	})
}

func (s *Service) sendAgain(ctx context.Context, w jobstore.Webhook, d jobstore.Delivery) (jobstore.Delivery, error) {
	if err := mustBeEnabled(w); err != nil {
		return d, err
	}
	if err := s.store.Redeliver(ctx, w.ID, d.ID); err != nil {
		return d, webhookProblem("sending a webhook again", err)
	}
	s.deliverer.poke()
	d, err := s.store.FindDelivery(ctx, w.ID, d.ID)
	return d, webhookProblem("finding a webhook delivery", err)
}

// deliveryOf is the delivery in the address, if it is the endpoint's.
func (s *Service) deliveryOf(ctx context.Context, c *fiber.Ctx, w jobstore.Webhook) (jobstore.Delivery, error) {
	noSuch := problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such delivery.")
	id, err := photoID(c.Params("delivery"))
	if err != nil {
		return jobstore.Delivery{}, noSuch.WithCause(err)
	}
	d, err := s.store.FindDelivery(ctx, w.ID, id)
	if errors.Is(err, jobstore.ErrNotFound) {
		return d, noSuch.WithCause(err)
	}
	return d, webhookProblem("finding a webhook delivery", err)
}

func (s *Service) answerDelivery(c *fiber.Ctx, d jobstore.Delivery) error {
	answer, err := s.newDeliveryAnswer(d)
	if err != nil {
		return err
	}
	return c.JSON(answer)
}

// answerAccepted says where to see what comes of it.
func (s *Service) answerAccepted(c *fiber.Ctx, d jobstore.Delivery) error {
	c.Location(webhookPath(d.WebhookID) + "/deliveries/" + d.ID.String())
	return s.answerDelivery(c.Status(http.StatusAccepted), d)
}
