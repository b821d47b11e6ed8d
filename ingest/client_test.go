package ingest

import (
	"testing"

	"maskfleet/pkg/client"
)

// TestWebhooksByTheClient holds pkg/client, whose own tests ask a door made for tests,
// against a real one.
func TestWebhooksByTheClient(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	d := openDoorTo(t, r)
	c, err := client.New(client.Config{URL: d.url, Key: d.ann.key})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	hook, err := c.CreateWebhook(ctx, client.WebhookSettings{URL: r.URL, Name: "gate", Events: []client.EventType{client.EventAlertUnmasked}, UnmaskedAbove: 3})
	if err != nil {
		t.Fatal(err)
	}
	off, on := false, true
	if w, err := c.ChangeWebhook(ctx, hook.ID, client.WebhookChange{Enabled: &off}); err != nil || w.Disabled == nil || w.UnmaskedAbove != 3 {
		t.Errorf("disabled: %+v, %v", w, err)
	}
	if w, err := c.ChangeWebhook(ctx, hook.ID, client.WebhookChange{Enabled: &on}); err != nil || !w.Enabled {
		t.Errorf("enabled: %+v, %v", w, err)
	}
	rotated, err := c.RotateWebhook(ctx, hook.ID)
	if err != nil || rotated.PreviousSecretUntil == nil {
		t.Fatalf("rotated: %+v, %v", rotated, err)
	}
	sent, err := c.TestWebhook(ctx, hook.ID)
	if err != nil {
		t.Fatal(err)
	}
	ended := func() (got client.Delivery) {
		eventually(t, "the message has arrived", func() bool {
			got, err = c.Delivery(ctx, hook.ID, sent.ID)
			return err != nil || got.EndedAt != nil
		})
		return got
	}
	if got := ended(); err != nil || got.Status != client.DeliveryDelivered || len(got.Attempts) != 1 || got.Attempts[0].HTTPStatus != 204 {
		t.Errorf("delivered: %+v, %v", got, err)
	}
	if _, err := c.Redeliver(ctx, hook.ID, sent.ID); err != nil {
		t.Error(err)
	}
	eventually(t, "it has arrived twice", func() bool { return len(r.all()) == 2 })
	r.mustVerify(t, hook.Secret, rotated.Secret)
	found := 0
	for message, err := range c.Deliveries(ctx, hook.ID, "") {
		if err != nil || message.ID != sent.ID {
			t.Errorf("listed: %+v, %v", message, err)
		}
		found++
	}
	for w, err := range c.Webhooks(ctx) {
		if err != nil || w.ID != hook.ID || w.Secret != "" {
			t.Errorf("listed: %+v, %v", w, err)
		}
		found++
	}
	if err := c.DeleteWebhook(ctx, hook.ID); err != nil || found != 2 {
		t.Errorf("%d listed, deleted: %v", found, err)
	}
}
