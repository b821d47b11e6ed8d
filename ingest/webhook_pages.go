package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webhook"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

const (
	webhooksPath     = "/account/webhooks"
	deliveriesAPage  = 30
	watchDelivery    = 3 * time.Second // how long a page waits to show how a message went
	lookAtDeliveries = 50 * time.Millisecond
)

// mountWebhooks adds the pages of webhooks.
func (p *pages) mountWebhooks(app *fiber.App) {
	see := p.login.Required
	change := func(path string, do fiber.Handler) { app.Post(webhooksPath+path, httpserver.SameOrigin, see, do) }
	app.Get(webhooksPath, see, p.showWebhooks)
	app.Get(webhooksPath+"/:id", see, p.showWebhook)
	change("", p.createWebhookByPage)
	change("/:id", p.saveWebhook)
	change("/:id/enable", p.switchWebhook(true))
	change("/:id/disable", p.switchWebhook(false))
	change("/:id/rotate", p.rotateWebhookByPage)
	change("/:id/test", p.testWebhookByPage)
	change("/:id/delete", p.deleteWebhookByPage)
	change("/:id/deliveries/:delivery/redeliver", p.redeliverByPage)
}

// showWebhooks answers GET /account/webhooks.
func (p *pages) showWebhooks(c *fiber.Ctx) error {
	return p.renderWebhooks(c, webui.WebhooksPage{})
}

func (p *pages) renderWebhooks(c *fiber.Ctx, page webui.WebhooksPage) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	all, err := p.store.ListWebhooks(ctx, login.User(c).ID)
	if err != nil {
		return storeProblem("listing webhooks", err)
	}
	page.Frame = frame(c, "Webhooks", webui.NavAccount)
	if page.New.UnmaskedAbove == "" {
		page.New.UnmaskedAbove = "0"
	}
	for _, w := range all {
		page.Webhooks = append(page.Webhooks, webhookRow(w))
	}
	return p.kit.Render(c, "webhooks", page)
}

func webhookRow(w jobstore.Webhook) webui.WebhookRow {
	return webui.WebhookRow{
		ID: w.ID.String(), URL: w.URL, Name: w.Name, Events: texts(w.Rule.Events),
		Enabled: w.DisabledAt.IsZero(), Gone: w.DisabledWhy == jobstore.DisabledAsGone, CreatedAt: w.CreatedAt,
	}
}

// createWebhookByPage answers POST /account/webhooks. Its page is the only place where
// the secret is shown.
func (p *pages) createWebhookByPage(c *fiber.Ctx) error {
	form, request, err := readWebhookForm(c)
	if err != nil {
		return err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("making a webhook: %w", err)
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	w, err := p.makeWebhook(ctx, login.User(c), id, request)
	if wrong, status := wrongWebhook(err); wrong != "" {
		return p.renderWebhooks(c.Status(status), webui.WebhooksPage{New: form, Wrong: wrong})
	}
	if err != nil {
		return err
	}
	row := webhookRow(w)
	return p.renderWebhooks(c, webui.WebhooksPage{Made: &webui.MadeWebhook{ID: row.ID, Title: row.Called(), Secret: w.Secret}})
}

// showWebhook answers GET /account/webhooks/{id}?show=&before=&delivery=.
func (p *pages) showWebhook(c *fiber.Ctx) error {
	return p.withWebhookOfPage(c, findTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		return p.renderWebhook(ctx, c, w, webui.WebhookPage{Opened: c.Query("delivery")})
	})
}

// renderWebhook shows the webhook as it stands in w, with the log.
func (p *pages) renderWebhook(ctx context.Context, c *fiber.Ctx, w jobstore.Webhook, page webui.WebhookPage) error {
	page.WebhookRow = webhookRow(w)
	page.Frame = frame(c, page.Called(), webui.NavAccount)
	page.OldSecretUntil = w.PreviousUntil
	if page.Wrong == "" {
		page.Form = webui.WebhookForm{
			URL: w.URL, Name: w.Name, Events: texts(w.Rule.Events), UnmaskedAbove: strconv.Itoa(w.Rule.UnmaskedAbove),
		}
	}
	filter := jobstore.DeliveryFilter{WebhookID: w.ID, Limit: deliveriesAPage + 1}
	for _, state := range page.Shows() {
		if c.Query("show") == state {
			page.Show, filter.State = state, jobstore.DeliveryState(state)
		}
	}
	page.First = true
	if before, err := uuid.Parse(c.Query("before")); err == nil {
		filter.Before, page.First = before, false
	}
	found, err := p.store.ListDeliveries(ctx, filter)
	if err != nil {
		return storeProblem("listing webhook deliveries", err)
	}
	if len(found) > deliveriesAPage {
		found = found[:deliveriesAPage]
		query := url.Values{"before": {found[deliveriesAPage-1].ID.String()}}
		if page.Show != "" {
			query.Set("show", page.Show)
		}
		page.Older = pathOfWebhook(w) + "?" + query.Encode() + "#log"
	}
	for _, d := range found {
		row, err := p.deliveryRow(d)
		if err != nil {
			return err
		}
		page.Deliveries = append(page.Deliveries, row)
	}
	return p.kit.Render(c, "webhook", page)
}

func (p *pages) deliveryRow(d jobstore.Delivery) (webui.DeliveryRow, error) {
	body, err := d.Event.Body(p.cfg.PublicURL)
	if err != nil {
		return webui.DeliveryRow{}, err
	}
	var text bytes.Buffer
	if err := json.Indent(&text, body, "", "  "); err != nil {
		return webui.DeliveryRow{}, err
	}
	row := webui.DeliveryRow{
		ID: d.ID.String(), Event: string(d.Event.Type), State: string(d.State), Body: text.String(),
		CreatedAt: d.CreatedAt, NextAt: d.DueAt,
	}
	if kind := string(d.Event.Type); strings.HasPrefix(kind, "detection.") || d.Event.Type == webhook.AlertUnmasked {
		row.About = "/photos/" + d.Event.Subject.String()
	}
	for _, a := range d.Attempts {
		row.Attempts = append(row.Attempts, webui.AttemptRow{
			Number: a.Number, At: a.At, Took: a.Took, Status: a.Status, Fault: a.Fault, Answer: a.Answer,
		})
	}
	return row, nil
}

// saveWebhook answers POST /account/webhooks/{id}.
func (p *pages) saveWebhook(c *fiber.Ctx) error {
	return p.withWebhookOfPage(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		form, request, err := readWebhookForm(c)
		if err != nil {
			return err
		}
		changed := w
		err = request.applyTo(&changed)
		if wrong, status := wrongWebhook(err); wrong != "" {
			return p.renderWebhook(ctx, c.Status(status), w, webui.WebhookPage{Form: form, Wrong: wrong})
		}
		if err := p.store.ChangeWebhook(ctx, w.OwnerID, w.ID, request.change()); err != nil {
			return webhookProblem("changing a webhook", err)
		}
		return p.renderWebhook(ctx, c, changed, webui.WebhookPage{Done: "The settings are saved."})
	})
}

// switchWebhook answers POST /account/webhooks/{id}/enable and …/disable.
func (p *pages) switchWebhook(enabled bool) fiber.Handler {
	return func(c *fiber.Ctx) error {
		return p.withWebhookOfPage(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
			if err := p.store.ChangeWebhook(ctx, w.OwnerID, w.ID, jobstore.WebhookChange{Enabled: &enabled}); err != nil {
				return webhookProblem("changing a webhook", err)
			}
			p.deliverer.poke()
			return c.Redirect(pathOfWebhook(w), http.StatusSeeOther)
		})
	}
}

// rotateWebhookByPage answers POST /account/webhooks/{id}/rotate.
func (p *pages) rotateWebhookByPage(c *fiber.Ctx) error {
	return p.withWebhookOfPage(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		a, err := attemptOf(c)
		if err == nil {
			w, err = p.rotate(ctx, w, a.id)
		}
		if err != nil {
			return err
		}
		return p.renderWebhook(ctx, c, w, webui.WebhookPage{Secret: w.Secret})
	})
}

// testWebhookByPage answers POST /account/webhooks/{id}/test.
func (p *pages) testWebhookByPage(c *fiber.Ctx) error {
	return p.withWebhookOfPage(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		d, err := p.sendTest(ctx, w)
		if err != nil {
			return err
		}
		return p.showDelivery(ctx, c, w, d.ID)
	})
}

// redeliverByPage answers POST /account/webhooks/{id}/deliveries/{delivery}/redeliver.
func (p *pages) redeliverByPage(c *fiber.Ctx) error {
	return p.withWebhookOfPage(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		d, err := p.deliveryOf(ctx, c, w)
		if err == nil {
			d, err = p.sendAgain(ctx, w, d)
		}
		if err != nil {
			return err
		}
		return p.showDelivery(ctx, c, w, d.ID)
	})
}

// showDelivery leads to a delivery in the log; if possible, once it is known how it
// went.
func (p *pages) showDelivery(ctx context.Context, c *fiber.Ctx, w jobstore.Webhook, id uuid.UUID) error {
	look := time.NewTicker(lookAtDeliveries)
	defer look.Stop()
	for until := time.Now().Add(watchDelivery); time.Now().Before(until) && ctx.Err() == nil; {
		<-look.C
		d, err := p.store.FindDelivery(ctx, w.ID, id)
		if err != nil || !d.EndedAt.IsZero() || d.Tries > 0 {
			break // the page says so
		}
	}
	return c.Redirect(pathOfWebhook(w)+"?"+url.Values{"delivery": {id.String()}}.Encode()+"#log", http.StatusSeeOther)
}

// deleteWebhookByPage answers POST /account/webhooks/{id}/delete. Deleting twice is no
// mistake.
func (p *pages) deleteWebhookByPage(c *fiber.Ctx) error {
	return p.withWebhookOfPage(c, promiseTimeout, func(ctx context.Context, w jobstore.Webhook) error {
		if err := p.store.DeleteWebhook(ctx, w.OwnerID, w.ID); err != nil && !errors.Is(err, jobstore.ErrNotFound) {
			return webhookProblem("deleting a webhook", err)
		}
		return c.Redirect(webhooksPath, http.StatusSeeOther)
	})
}

// withWebhookOfPage does something with the webhook in the address of who is logged in.
func (p *pages) withWebhookOfPage(c *fiber.Ctx, timeout time.Duration, do func(context.Context, jobstore.Webhook) error) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), timeout)
	defer cancel()
	w, err := p.webhookOf(ctx, c, login.User(c))
	if err != nil {
		return err
	}
	return do(ctx, w)
}

func pathOfWebhook(w jobstore.Webhook) string { return webhooksPath + "/" + w.ID.String() }

// readWebhookForm gives what was typed, and what it asks for.
func readWebhookForm(c *fiber.Ctx) (form webui.WebhookForm, r webhookRequest, err error) {
	values, err := httpserver.Form(c)
	if err != nil {
		return form, r, err
	}
	form = webui.WebhookForm{
		URL: strings.TrimSpace(values.Get("url")), Name: strings.TrimSpace(values.Get("name")),
		Events: values["event"], UnmaskedAbove: strings.TrimSpace(values.Get("unmasked_above")),
	}
	above, err := strconv.Atoi(form.UnmaskedAbove)
	if err != nil {
		above = -1 // refused like any other number that is none
	}
	events := make([]webhook.Type, len(form.Events))
	for i, e := range form.Events {
		events[i] = webhook.Type(e)
	}
	return form, webhookRequest{URL: &form.URL, Name: &form.Name, Events: &events, UnmaskedAbove: &above}, nil
}

// wrongWebhook turns a refusal into a sentence for people, "" if err is none.
func wrongWebhook(err error) (sentence string, status int) {
	var refused *problem.Problem
	if !errors.As(err, &refused) || refused.Status/100 != 4 || refused.Status == http.StatusNotFound {
		return "", 0
	}
	if len(refused.Errors) == 0 {
		return refused.Detail, refused.Status
	}
	var sentences []string
	for _, f := range refused.Errors {
		switch f.Field {
		case "url":
			sentences = append(sentences, "The address cannot be used: "+f.Message+".")
		case "events":
			sentences = append(sentences, "Choose at least one event.")
		default:
			sentences = append(sentences, "The "+strings.ReplaceAll(f.Field, "unmasked_above", "number of faces")+" "+f.Message+".")
		}
	}
	return strings.Join(sentences, " "), http.StatusUnprocessableEntity
}

func texts[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = string(word)
	}
	return all
}
