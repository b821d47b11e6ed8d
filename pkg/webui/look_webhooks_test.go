package webui_test

import (
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/webui"
)

func webhookPictures() []picture {
	frame := webui.Frame{Site: webui.SiteDoor, Title: "Webhooks", Nav: webui.NavAccount, User: "ann"}
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYqrTwjUPD8="
	rows := []webui.WebhookRow{
		{ID: "a", URL: "https://receiver.example/hooks/maskfleet", Name: "gate control", Events: []string{"batch.completed", "alert.unmasked"}, Enabled: true, CreatedAt: time.Now().Add(-51 * time.Hour)},
		{ID: "b", URL: "https://a-long-name-of-a-server.some-department.receiver.example/and/an/address/that/goes/on/for/a/while?key=0123456789abcdef0123456789", Events: []string{"detection.completed"}, CreatedAt: time.Now().Add(-time.Hour)},
		{ID: "c", URL: "https://old.example/", Events: []string{"batch.failed"}, Gone: true, CreatedAt: time.Now().Add(-5000 * time.Hour)},
	}
	form := webui.WebhookForm{URL: rows[0].URL, Name: rows[0].Name, Events: rows[0].Events, UnmaskedAbove: "2"}
	page := func(row webui.WebhookRow, deliveries int) webui.WebhookPage {
		p := webui.WebhookPage{Frame: frame, WebhookRow: row, Form: form, First: true}
		states := []string{"delivered", "sending", "waiting", "failed"}
		for i := range deliveries {
			d := webui.DeliveryRow{
				ID: uuid.NewString(), Event: []string{"alert.unmasked", "batch.completed", "webhook.test"}[i%3], State: states[i%4],
				About: "/photos/x", CreatedAt: time.Now().Add(-time.Duration(i*i*7) * time.Second),
				Body: fmt.Sprintf("{\n  \"type\": \"alert.unmasked\",\n  \"data\": {\n    \"id\": %q\n  }\n}", uuid.NewString()),
			}
			for n := range i % 4 {
				d.Attempts = append(d.Attempts, webui.AttemptRow{Number: n + 1, At: d.CreatedAt, Took: 41 * time.Millisecond, Status: 500, Fault: "status", Answer: "upstream connect error or disconnect/reset before headers"})
			}
			if d.State == "waiting" {
				d.NextAt = time.Now().Add(5 * time.Minute)
			}
			p.Deliveries = append(p.Deliveries, d)
		}
		if deliveries > 0 {
			p.Opened, p.Older = p.Deliveries[min(3, deliveries-1)].ID, "/account/webhooks/a?before=x"
		}
		return p
	}
	rotated := page(rows[0], 0)
	rotated.Secret, rotated.OldSecretUntil = secret, time.Now().Add(24*time.Hour)
	wrong := page(rows[1], 2)
	wrong.Wrong = "The address cannot be used: it names no server."
	return []picture{
		{"webhooks-empty", "webhooks", webui.WebhooksPage{Frame: frame, New: webui.WebhookForm{UnmaskedAbove: "0"}}},
		{"webhooks", "webhooks", webui.WebhooksPage{Frame: frame, Webhooks: rows, New: form, Made: &webui.MadeWebhook{ID: "a", Title: "gate control", Secret: secret}}},
		{"webhooks-wrong", "webhooks", webui.WebhooksPage{Frame: frame, Webhooks: rows, New: form, Wrong: "Choose at least one event."}},
		{"webhook-empty", "webhook", page(rows[0], 0)},
		{"webhook", "webhook", page(rows[0], 14)},
		{"webhook-rotated", "webhook", rotated},
		{"webhook-disabled", "webhook", wrong},
		{"webhook-gone", "webhook", page(rows[2], 1)},
	}
}
