package client_test

import (
	"errors"
	"testing"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/clienttest"
)

func TestWebhooks(t *testing.T) {
	t.Parallel()
	door := clienttest.NewDoor(nil)
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		t.Fatal(err)
	}
	ctx := t.Context()
	settings := client.WebhookSettings{URL: "https://receiver.example/", Events: []client.EventType{client.EventBatchCompleted}}
	hook, err := c.CreateWebhook(ctx, settings, client.WithIdempotencyKey("gate"))
	if err != nil || hook.Secret == "" || !hook.Enabled {
		t.Fatalf("made %+v, %v", hook, err)
	}
	if again, err := c.CreateWebhook(ctx, settings, client.WithIdempotencyKey("gate")); err != nil || again.ID != hook.ID {
		t.Errorf("a repetition made %q, %v", again.ID, err)
	}
	name, off := "gate control", false
	changed, err := c.ChangeWebhook(ctx, hook.ID, client.WebhookChange{Name: &name, Enabled: &off})
	if err != nil || changed.Name != name || changed.URL != hook.URL || changed.Enabled || changed.Disabled == nil || changed.Secret != "" {
		t.Errorf("changed to %+v, %v", changed, err)
	}
	var refused *client.APIError
	if _, err := c.TestWebhook(ctx, hook.ID); !errors.As(err, &refused) || refused.Status != 409 {
		t.Errorf("testing what is disabled gives %v", err)
	}
	on := true
	if _, err := c.ChangeWebhook(ctx, hook.ID, client.WebhookChange{Enabled: &on}); err != nil {
		t.Error(err)
	}
	rotated, err := c.RotateWebhook(ctx, hook.ID)
	if err != nil || rotated.Secret == hook.Secret || rotated.PreviousSecretUntil == nil {
		t.Errorf("rotated to %+v, %v", rotated, err)
	}
	sent, err := c.TestWebhook(ctx, hook.ID)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := c.Redeliver(ctx, hook.ID, sent.ID); err != nil || again.ID != sent.ID || len(again.Attempts) != 2 {
		t.Errorf("sent again: %+v, %v", again, err)
	}
	if found, err := c.Delivery(ctx, hook.ID, sent.ID); err != nil || found.Status != client.DeliveryDelivered || found.EndedAt == nil {
		t.Errorf("found %+v, %v", found, err)
	}
	for status, want := range map[client.DeliveryStatus]int{"": 1, client.DeliveryDelivered: 1, client.DeliveryFailed: 0} {
		n := 0
		for _, err := range c.Deliveries(ctx, hook.ID, status) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != want {
			t.Errorf("%d deliveries are %q, want %d", n, status, want)
		}
	}
	if err := c.DeleteWebhook(ctx, hook.ID); err != nil {
		t.Error(err)
	}
	if _, err := c.Webhook(ctx, hook.ID); !errors.As(err, &refused) || refused.Status != 404 {
		t.Errorf("a deleted one is found: %v", err)
	}
}
