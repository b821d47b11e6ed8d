package ingest

import (
	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// pages is the site for staff. Every page works without script; with it, uploads
// and results appear in place.
type pages struct {
	*Service
	kit   *webui.Kit
	login *login.Pages
}

// mountPages adds the pages, each of which shows a person only what is theirs.
func (s *Service) mountPages(app *fiber.App) error {
	kit, err := webui.New()
	if err != nil {
		return err
	}
	s.pageError = kit.RenderError
	p := &pages{Service: s, kit: kit, login: login.New(login.Site{Name: webui.SiteDoor}, kit, s.accounts, s.cache, s.tel.Log)}
	kit.Mount(app)
	p.login.Mount(app)

	see := p.login.Required
	change := func(path string, do fiber.Handler) { app.Post(path, httpserver.SameOrigin, see, do) }

	app.Get("/", see, p.showUpload)
	change("/photos", p.takePhotos)
	change("/links", p.takeLink)

	app.Get("/photos", see, p.showPhotos)
	app.Get("/photos/events", see, p.streamCards)
	app.Get("/photos/:id", see, p.showPhoto)
	app.Get("/photos/:id/status", see, p.showPhotoStatus)
	app.Get("/photos/:id/image/:variant", see, p.redirectToImage)
	change("/photos/:id/retry", p.retryPhoto)

	app.Get("/account", see, p.showAccount)
	change("/account/keys", p.makeKey)
	change("/account/keys/:id/revoke", p.revokeKey)
	return nil
}

// frame is what surrounds a page of the person who asks.
func frame(c *fiber.Ctx, title, nav string) webui.Frame {
	return webui.Frame{Site: webui.SiteDoor, Title: title, Nav: nav, User: login.User(c).Username}
}

// headerCard marks a request of the upload page's script, which wants the card of
// one photo and, if it is refused, the problem as JSON.
const headerCard = "X-Card"

func wantsCard(c *fiber.Ctx) bool { return c.Get(headerCard) != "" }
