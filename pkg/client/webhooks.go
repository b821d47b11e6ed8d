package client

import (
	"context"
	"iter"
	"net/http"
	"net/url"
)

const webhooksPath = "/v1/webhooks"

// CreateWebhook has an address of yours told when something happens. The answer has its
// secret, which is not shown again.
func (c *Client) CreateWebhook(ctx context.Context, settings WebhookSettings, options ...CallOption) (Webhook, error) {
	r := newPost(webhooksPath, options)
	return c.sendWebhook(ctx, r, settings)
}

// Webhooks goes through those of the account.
func (c *Client) Webhooks(ctx context.Context) iter.Seq2[Webhook, error] {
	return list[Webhook](ctx, c, webhooksPath, nil)
}

// Webhook finds a webhook.
func (c *Client) Webhook(ctx context.Context, id string) (Webhook, error) {
	var w Webhook
	err := c.ask(ctx, call{method: http.MethodGet, path: webhookPath(id)}, &w)
	return w, err
}

// ChangeWebhook changes what the change names, and enables or disables.
func (c *Client) ChangeWebhook(ctx context.Context, id string, change WebhookChange) (Webhook, error) {
	return c.sendWebhook(ctx, call{method: http.MethodPatch, path: webhookPath(id)}, change)
}

func (c *Client) sendWebhook(ctx context.Context, r call, settings any) (Webhook, error) {
	var err error
	if r.body, err = fromJSON(settings); err != nil {
		return Webhook{}, err
	}
	r.set("Content-Type", "application/json")
	var w Webhook
	err = c.ask(ctx, r, &w)
	return w, err
}

// RotateWebhook gives a new secret. The old one signs beside it for a while, so that a
// receiver that knows both misses nothing.
func (c *Client) RotateWebhook(ctx context.Context, id string, options ...CallOption) (Webhook, error) {
	var w Webhook
	err := c.ask(ctx, newPost(webhookPath(id)+"/rotate", options), &w)
	return w, err
}

// DeleteWebhook ends it: what waits for it is not sent.
func (c *Client) DeleteWebhook(ctx context.Context, id string) error {
	response, err := c.do(ctx, call{method: http.MethodDelete, path: webhookPath(id)})
	if err != nil {
		return err
	}
	return response.Body.Close()
}

// TestWebhook sends it a message that nothing caused, once.
func (c *Client) TestWebhook(ctx context.Context, id string, options ...CallOption) (Delivery, error) {
	return c.deliver(ctx, webhookPath(id)+"/test", options)
}

// Redeliver sends a message again, whatever came of it. The receiver sees the same
// webhook-id.
func (c *Client) Redeliver(ctx context.Context, webhookID, id string, options ...CallOption) (Delivery, error) {
	return c.deliver(ctx, deliveryPath(webhookID, id)+"/redeliver", options)
}

func (c *Client) deliver(ctx context.Context, path string, options []CallOption) (Delivery, error) {
	var d Delivery
	err := c.ask(ctx, newPost(path, options), &d)
	return d, err
}

// Delivery finds a message to a webhook.
func (c *Client) Delivery(ctx context.Context, webhookID, id string) (Delivery, error) {
	var d Delivery
	err := c.ask(ctx, call{method: http.MethodGet, path: deliveryPath(webhookID, id)}, &d)
	return d, err
}

// Deliveries goes through the messages to a webhook, the newest first; an empty status
// means all of them.
func (c *Client) Deliveries(ctx context.Context, webhookID string, status DeliveryStatus) iter.Seq2[Delivery, error] {
	query := url.Values{}
	if status != "" {
		query.Set("status", string(status))
	}
	return list[Delivery](ctx, c, webhookPath(webhookID)+"/deliveries", query)
}

func webhookPath(id string) string { return webhooksPath + "/" + url.PathEscape(id) }

func deliveryPath(webhookID, id string) string {
	return webhookPath(webhookID) + "/deliveries/" + url.PathEscape(id)
}
