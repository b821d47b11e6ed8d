package clienttest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"maskfleet/pkg/client"
)

// hook is a webhook and the messages to it, the newest first.
type hook struct {
	shown    client.Webhook
	messages []client.Delivery
}

func (d *Door) webhookRoutes() map[string]func(*http.Request) (int, any) {
	return map[string]func(*http.Request) (int, any){
		"POST /v1/webhooks":                                      d.createWebhook,
		"GET /v1/webhooks":                                       d.listWebhooks,
		"GET /v1/webhooks/{id}":                                  d.withHook(func(h *hook, _ *http.Request) (int, any) { return http.StatusOK, h.withoutSecret() }),
		"PATCH /v1/webhooks/{id}":                                d.withHook(changeWebhook),
		"DELETE /v1/webhooks/{id}":                               d.withHook(d.deleteWebhook),
		"POST /v1/webhooks/{id}/rotate":                          d.withHook(rotateWebhook),
		"POST /v1/webhooks/{id}/test":                            d.withHook(testWebhook),
		"GET /v1/webhooks/{id}/deliveries":                       d.withHook(listDeliveries),
		"GET /v1/webhooks/{id}/deliveries/{delivery}":            d.withHook(withDelivery(http.StatusOK, false)),
		"POST /v1/webhooks/{id}/deliveries/{delivery}/redeliver": d.withHook(withDelivery(http.StatusAccepted, true)),
	}
}

func (h *hook) withoutSecret() client.Webhook {
	w := h.shown
	w.Secret = ""
	return w
}

func (d *Door) createWebhook(r *http.Request) (int, any) {
	h := &hook{shown: client.Webhook{ID: fmt.Sprintf("w%d", len(d.hooks)+1), Enabled: true, Secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", CreatedAt: time.Now().UTC()}}
	if json.NewDecoder(r.Body).Decode(&h.shown.WebhookSettings) != nil || h.shown.URL == "" || len(h.shown.Events) == 0 {
		return http.StatusBadRequest, "invalid_request"
	}
	d.hooks[h.shown.ID] = h
	return http.StatusCreated, h.shown
}

func (d *Door) listWebhooks(*http.Request) (int, any) {
	all := []client.Webhook{}
	for _, id := range known(d.hooks) {
		all = append(all, d.hooks[id].withoutSecret())
	}
	return http.StatusOK, map[string]any{"data": all, "next_page_token": nil}
}

// withHook finds the webhook in the address.
func (d *Door) withHook(do func(*hook, *http.Request) (int, any)) func(*http.Request) (int, any) {
	return func(r *http.Request) (int, any) {
		h, there := d.hooks[r.PathValue("id")]
		if !there {
			return http.StatusNotFound, "not_found"
		}
		return do(h, r)
	}
}

func changeWebhook(h *hook, r *http.Request) (int, any) {
	change := client.WebhookChange{URL: &h.shown.URL, Name: &h.shown.Name, Events: &h.shown.Events, UnmaskedAbove: &h.shown.UnmaskedAbove, Enabled: &h.shown.Enabled}
	if json.NewDecoder(r.Body).Decode(&change) != nil {
		return http.StatusBadRequest, "invalid_request"
	}
	h.shown.Disabled = nil
	if !h.shown.Enabled {
		h.shown.Disabled = &client.WebhookDisabled{At: time.Now().UTC(), Reason: "owner"}
	}
	return http.StatusOK, h.withoutSecret()
}

func (d *Door) deleteWebhook(h *hook, _ *http.Request) (int, any) {
	delete(d.hooks, h.shown.ID)
	return http.StatusNoContent, nil
}

func rotateWebhook(h *hook, _ *http.Request) (int, any) {
	until := time.Now().UTC().Add(24 * time.Hour)
	h.shown.Secret, h.shown.PreviousSecretUntil = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", &until
	return http.StatusOK, h.shown
}

// testWebhook delivers at once.
func testWebhook(h *hook, _ *http.Request) (int, any) {
	if !h.shown.Enabled {
		return http.StatusConflict, "conflict"
	}
	now := time.Now().UTC()
	m := client.Delivery{
		ID: fmt.Sprintf("m%d", len(h.messages)+1), WebhookID: h.shown.ID, Type: "webhook.test", Status: client.DeliveryDelivered, CreatedAt: now, EndedAt: &now,
		Attempts: []client.DeliveryAttempt{{Number: 1, At: now, TookMS: 12, HTTPStatus: http.StatusNoContent}}, Body: json.RawMessage(`{"type":"webhook.test"}`),
	}
	h.messages = slices.Insert(h.messages, 0, m)
	return http.StatusAccepted, m
}

func listDeliveries(h *hook, r *http.Request) (int, any) {
	found := []client.Delivery{}
	for _, m := range h.messages {
		if status := r.URL.Query().Get("status"); status == "" || status == string(m.Status) {
			found = append(found, m)
		}
	}
	return http.StatusOK, map[string]any{"data": found, "next_page_token": nil}
}

// withDelivery answers with the message in the address, after sending it again if it
// is told to.
func withDelivery(status int, again bool) func(*hook, *http.Request) (int, any) { //nolint:revive // two lines of a table
	return func(h *hook, r *http.Request) (int, any) {
		at := slices.IndexFunc(h.messages, func(m client.Delivery) bool { return m.ID == r.PathValue("delivery") })
		if at < 0 {
			return http.StatusNotFound, "not_found"
		}
		m := &h.messages[at]
		if again {
			m.Attempts = append(m.Attempts, client.DeliveryAttempt{Number: len(m.Attempts) + 1, At: time.Now().UTC(), HTTPStatus: http.StatusNoContent})
		}
		return status, *m
	}
}
