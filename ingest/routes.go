package ingest

import (
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/problem"
)

const (
	apiRoot      = "/v1"
	ancestorRoot = "/api"
)

// routes is every address of the front door, beside /healthz and /readyz; those of
// the pages stand in mountPages.
func (s *Service) routes(app *fiber.App) error {
	read, write := s.allow(account.ScopeRead), s.allow(account.ScopeWrite)
	detection := apiRoot + "/detections/:id"

	app.Post(apiRoot+"/detections", write, s.createDetection)
	app.Get(detection, read, s.getDetection)
	app.Get(detection+"/image", read, s.getDetectionImage)
	app.Get(detection+"/events", read, s.streamDetection)
	app.Get(apiRoot+"/limits", read, s.getLimits)

	webhooks, webhook := apiRoot+"/webhooks", apiRoot+"/webhooks/:id"
	app.Post(webhooks, write, s.createWebhook)
	app.Get(webhooks, read, s.listWebhooks)
	app.Get(webhook, read, s.getWebhook)
	app.Patch(webhook, write, s.changeWebhook)
	app.Delete(webhook, write, s.deleteWebhook)
	app.Post(webhook+"/rotate", write, s.rotateWebhook)
	app.Post(webhook+"/test", write, s.testWebhook)
	app.Get(webhook+"/deliveries", read, s.listDeliveries)
	app.Get(webhook+"/deliveries/:delivery", read, s.getDelivery)
	app.Post(webhook+"/deliveries/:delivery/redeliver", write, s.redeliver)

	batches, batch := apiRoot+"/batches", apiRoot+"/batches/:id"
	app.Post(batches, write, s.createBatch)
	app.Get(batches, read, s.listBatches)
	app.Get(batch, read, s.getBatch)
	app.Get(batch+"/items", read, s.listItems)
	app.Get(batch+"/results", read, s.streamResults)
	app.Get(batch+"/events", read, s.streamBatch)
	app.Post(batch+"/cancel", write, s.cancelBatch)
	app.Post(batch+"/retry", write, s.retryBatch)
	app.Delete(batch, write, s.deleteBatch)

	app.Post(ancestorRoot+"/register", s.ancestorRegister)
	app.Post(ancestorRoot+"/upload", s.ancestorUpload)

	return s.mountPages(app)
}

// renderError answers with a problem in the shape of the address that was asked.
func (s *Service) renderError(c *fiber.Ctx, p *problem.Problem) error {
	s.metrics.refused.WithLabelValues(p.Code).Inc()
	switch path := c.Path(); {
	case under(path, ancestorRoot):
		return renderAncestorError(c, p)
	case under(path, apiRoot) || !acceptsPage(c):
		return httpserver.RenderJSON(c, p)
	default:
		return s.pageError(c, p)
	}
}

func under(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// acceptsPage says whether a browser is asking.
func acceptsPage(c *fiber.Ctx) bool {
	return strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML)
}
