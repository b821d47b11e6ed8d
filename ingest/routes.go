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
	// post is for handlers that agree by themselves on what was asked, postSmall for
	// the others.
	post := func(path string, do fiber.Handler) { app.Post(path, write, s.repeatable, do) }
	postSmall := func(path string, do fiber.Handler) { app.Post(path, write, s.repeatable, s.smallBody, do) }
	detection := apiRoot + "/detections/:id"

	post(apiRoot+"/detections", s.createDetection)
	app.Get(apiRoot+"/detections", read, s.listDetections)
	app.Get(detection, read, s.getDetection)
	app.Delete(detection, write, s.deleteDetection)
	app.Get(detection+"/image", read, s.getDetectionImage)
	app.Get(detection+"/events", read, s.streamDetection)
	app.Get(apiRoot+"/limits", read, s.getLimits)
	app.Get(openAPIPath, getOpenAPI)
	postSmall(apiRoot+"/uploads", s.createUploads)

	webhooks, webhook := apiRoot+"/webhooks", apiRoot+"/webhooks/:id"
	postSmall(webhooks, s.createWebhook)
	app.Get(webhooks, read, s.listWebhooks)
	app.Get(webhook, read, s.getWebhook)
	app.Patch(webhook, write, s.changeWebhook)
	app.Delete(webhook, write, s.deleteWebhook)
	postSmall(webhook+"/rotate", s.rotateWebhook)
	postSmall(webhook+"/test", s.testWebhook)
	app.Get(webhook+"/deliveries", read, s.listDeliveries)
	app.Get(webhook+"/deliveries/:delivery", read, s.getDelivery)
	postSmall(webhook+"/deliveries/:delivery/redeliver", s.redeliver)

	batches, batch := apiRoot+"/batches", apiRoot+"/batches/:id"
	post(batches, s.createBatch)
	app.Get(batches, read, s.listBatches)
	app.Get(batch, read, s.getBatch)
	app.Get(batch+"/items", read, s.listItems)
	app.Get(batch+"/results", read, s.streamResults)
	app.Get(batch+"/events", read, s.streamBatch)
	postSmall(batch+"/cancel", s.cancelBatch)
	postSmall(batch+"/retry", s.retryBatch)
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
