package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webhook"
)

// maxWebhookBody is the size of a request about a webhook.
const maxWebhookBody = 16 << 10

func webhookPath(id uuid.UUID) string { return apiRoot + "/webhooks/" + id.String() }

func noSuchWebhook() *problem.Problem {
	return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such webhook.")
}

// webhookOf is the endpoint in the address, if it is the user's own.
func (s *Service) webhookOf(ctx context.Context, c *fiber.Ctx, user jobstore.User) (jobstore.Webhook, error) {
	id, err := photoID(c.Params("id"))
	if err != nil {
		return jobstore.Webhook{}, noSuchWebhook().WithCause(err)
	}
	w, err := s.store.FindWebhook(ctx, user.ID, id)
	return w, webhookProblem("finding a webhook", err)
}

func webhookProblem(doing string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jobstore.ErrNotFound):
		return noSuchWebhook().WithCause(err)
	default:
		return storeProblem(doing, err)
	}
}

// createWebhook answers POST /v1/webhooks. Its answer is the only place where the
// secret is shown.
func (s *Service) createWebhook(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	request, err := readWebhookRequest(c)
	if err != nil {
		return err
	}
	a, err := attemptOf(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	w, err := s.madeBefore(ctx, user, a)
	if errors.Is(err, jobstore.ErrNotFound) {
		w, err = s.makeWebhook(ctx, user, a.id, request)
	}
	if err != nil {
		return err
	}
	answer := newWebhookAnswer(w)
	answer.Secret = &w.Secret
	c.Location(webhookPath(w.ID))
	return c.Status(http.StatusCreated).JSON(answer)
}

// madeBefore is the endpoint that an earlier try at the same request made, or
// ErrNotFound.
func (s *Service) madeBefore(ctx context.Context, user jobstore.User, a *attempt) (jobstore.Webhook, error) {
	if !a.again {
		return jobstore.Webhook{}, jobstore.ErrNotFound
	}
	w, err := s.store.FindWebhook(ctx, user.ID, a.id)
	return w, webhookProblem("finding a webhook", err)
}

// makeWebhook stores a new endpoint of the user, with its secret.
func (s *Service) makeWebhook(ctx context.Context, user jobstore.User, id uuid.UUID, r webhookRequest) (jobstore.Webhook, error) {
	if r.URL == nil || r.Events == nil {
		return jobstore.Webhook{}, problem.New(http.StatusBadRequest, problem.CodeMissingField, "A webhook needs “url” and “events”.").
			WithField("url", "must be there").WithField("events", "must be there")
	}
	w := jobstore.Webhook{ID: id, OwnerID: user.ID, Secret: webhook.NewSecret(), CreatedAt: time.Now().UTC()}
	if err := r.applyTo(&w); err != nil {
		return w, err
	}
	err := s.store.CreateWebhook(ctx, w, s.cfg.Webhooks.PerAccount)
	if errors.Is(err, jobstore.ErrTooManyWebhooks) {
		return w, problem.New(http.StatusConflict, problem.CodeConflict,
			fmt.Sprintf("An account may have %d webhooks. Please delete one first.", s.cfg.Webhooks.PerAccount)).WithCause(err)
	}
	if !w.DisabledAt.IsZero() {
		w.DisabledWhy = jobstore.DisabledByOwner
	}
	return w, webhookProblem("making a webhook", err)
}

// listWebhooks answers GET /v1/webhooks with all of them: an account has few.
func (s *Service) listWebhooks(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	all, err := s.store.ListWebhooks(ctx, user.ID)
	if err != nil {
		return storeProblem("listing webhooks", err)
	}
	return c.JSON(newList(all, len(all), newWebhookAnswer, func(w jobstore.Webhook) string { return w.ID.String() }))
}

// getWebhook answers GET /v1/webhooks/{id}.
func (s *Service) getWebhook(c *fiber.Ctx) error {
	return s.withWebhook(c, findTimeout, func(_ context.Context, w jobstore.Webhook) error {
		return c.JSON(newWebhookAnswer(w))
	})
}

// changeWebhook answers PATCH /v1/webhooks/{id}.
func (s *Service) changeWebhook(c *fiber.Ctx) error {
	return s.withWebhook(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		request, err := readWebhookRequest(c)
		if err == nil {
			err = request.applyTo(&w)
		}
		if err != nil {
			return err
		}
		err = s.store.ChangeWebhook(ctx, w.OwnerID, w.ID, request.change())
		if err == nil {
			w, err = s.store.FindWebhook(ctx, w.OwnerID, w.ID)
		}
		if err != nil {
			return webhookProblem("changing a webhook", err)
		}
		s.deliverer.poke() // something may have waited for it to be enabled
		return c.JSON(newWebhookAnswer(w))
	})
}

// rotateWebhook answers POST /v1/webhooks/{id}/rotate with the new secret. The old one
// signs beside it for a while.
func (s *Service) rotateWebhook(c *fiber.Ctx) error {
	return s.withWebhook(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		a, err := attemptOf(c)
		if err != nil {
			return err
		}
		if !a.again || bytes.Compare(w.Rotation[:], a.id[:]) < 0 { // or an earlier try has done it
			w, err = s.rotate(ctx, w, a.id)
		}
		if err != nil {
			return err
		}
		answer := newWebhookAnswer(w)
		answer.Secret = &w.Secret
		return c.JSON(answer)
	})
}

// rotate gives the endpoint a new secret and notes the request that wanted it.
func (s *Service) rotate(ctx context.Context, w jobstore.Webhook, id uuid.UUID) (jobstore.Webhook, error) {
	err := s.store.RotateWebhookSecret(ctx, w.OwnerID, w.ID, id, webhook.NewSecret(), s.cfg.Webhooks.SecretOverlap)
	if err == nil {
		w, err = s.store.FindWebhook(ctx, w.OwnerID, w.ID)
	}
	return w, webhookProblem("rotating a secret", err)
}

// deleteWebhook answers DELETE /v1/webhooks/{id}: what waits for it is not sent.
func (s *Service) deleteWebhook(c *fiber.Ctx) error {
	return s.withWebhook(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		if err := s.store.DeleteWebhook(ctx, w.OwnerID, w.ID); err != nil {
			return webhookProblem("deleting a webhook", err)
		}
		return c.SendStatus(http.StatusNoContent)
	})
}

// withWebhook does something with the endpoint in the address of who asks.
func (s *Service) withWebhook(c *fiber.Ctx, timeout time.Duration, do func(context.Context, jobstore.Webhook) error) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), timeout)
	defer cancel()
	w, err := s.webhookOf(ctx, c, user)
	if err != nil {
		return err
	}
	return do(ctx, w)
}

func readWebhookRequest(c *fiber.Ctx) (r webhookRequest, err error) {
	body, err := httpserver.ReadBody(c, maxWebhookBody)
	if err != nil {
		return r, err
	}
	err = readJSON(body, &r)
	return r, err
}
