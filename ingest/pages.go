package ingest

import (
	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
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
	tries *login.Tries
}

// mountPages adds the pages, each of which shows a person only what is theirs.
func (s *Service) mountPages(app *fiber.App) error {
	kit, err := webui.New()
	if err != nil {
		return err
	}
	s.pageError = kit.RenderError
	p := &pages{Service: s, kit: kit, login: login.New(login.Site{Name: webui.SiteDoor, Recover: "/password/forgotten"}, kit, s.accounts, s.cache, s.tel.Log), tries: login.NewTries(s.accounts, s.cache)}
	kit.Mount(app)
	p.login.Mount(app)

	see := p.login.Required
	change := func(path string, do fiber.Handler) { app.Post(path, httpserver.SameOrigin, see, do) }

	app.Get("/", see, p.showUpload)
	change("/photos", p.takePhotos)
	change("/links", p.takeLink)

	app.Get("/photos", see, p.showPhotos)
	app.Get("/photos/events", see, p.streamCards)
	app.Get("/photos/live", see, p.streamHistory)
	change("/photos/delete", p.deletePhotos)
	app.Get("/photos/:id", see, p.showPhoto)
	app.Get("/photos/:id/status", see, p.showPhotoStatus)
	app.Get("/photos/:id/image/:variant", see, p.redirectToImage)
	change("/photos/:id/retry", p.retryPhoto)

	app.Get("/password/forgotten", p.showForgotten)
	app.Post("/password/forgotten", httpserver.SameOrigin, p.askRecovery)
	app.Get("/password/new", p.showNewPassword)
	app.Post("/password/new", httpserver.SameOrigin, p.setNewPassword)

	app.Get("/account", see, p.showAccount)
	change("/account/password", p.changePassword)
	change("/account/email", p.changeEmail)
	change("/account/keys", p.makeKey)
	change("/account/keys/:id/revoke", p.revokeKey)
	p.mountWebhooks(app)
	p.mountUsers(app)
	return p.mountAPIDocs(app)
}

// mountUsers adds the pages of administrators.
func (p *pages) mountUsers(app *fiber.App) {
	see := []fiber.Handler{p.login.Required, p.administrator}
	change := func(path string, do fiber.Handler) {
		app.Post(path, httpserver.SameOrigin, p.login.Required, p.administrator, do)
	}
	app.Get("/users", append(see, p.showUsers)...)
	app.Get("/users/:id", append(see, p.showUser)...)
	change("/users", p.createUser)
	change("/users/:id/role", p.changeUser(p.setRole))
	change("/users/:id/close", p.changeUser(p.closeUser))
	change("/users/:id/open", p.changeUser(p.openUser))
	change("/users/:id/delete", p.changeUser(p.deleteUser))
	change("/users/:id/password", p.resetPassword)
	change("/users/:id/s3", p.setS3Sources)
}

// frame is what surrounds a page of the person who asks.
func frame(c *fiber.Ctx, title, nav string) webui.Frame {
	user := login.User(c)
	return webui.Frame{Site: webui.SiteDoor, Title: title, Nav: nav, User: user.Username, Admin: user.Role == account.RoleAdministrator}
}

// headerCard marks a request of the upload page's script, which wants the card of
// one photo and, if it is refused, the problem as JSON.
const headerCard = "X-Card"

func wantsCard(c *fiber.Ctx) bool { return c.Get(headerCard) != "" }
