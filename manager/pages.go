package manager

import (
	"context"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// eventOverview carries the changing part of the first page.
const eventOverview = "overview"

// routes is every address of the manager, beside /healthz and /readyz.
func (s *Service) routes(app *fiber.App) {
	people := login.New(login.Site{Name: webui.SiteManager, Admits: admits, OutageGrace: s.cfg.Reading.SessionGrace},
		s.kit, s.accounts, s.cache, s.tel.Log)
	s.kit.Mount(app)
	people.Mount(app)
	app.Get("/", people.Required, s.showOverview)
	app.Get("/events", people.Required, func(c *fiber.Ctx) error { return s.streamOverview(c, people.Listener(c)) })
}

// admits lets in whoever has something to do with the fleet.
func admits(user jobstore.User) bool {
	return slices.Contains([]string{account.RoleViewer, account.RoleOperator, account.RoleAdministrator}, user.Role)
}

// showOverview answers GET /.
func (s *Service) showOverview(c *fiber.Ctx) error {
	page := s.board.page()
	page.Frame = webui.Frame{Site: webui.SiteManager, Title: "Overview", Nav: webui.NavOverview, User: login.User(c).Username}
	return s.kit.Render(c, "overview", page)
}

// renderLive is the changing part of the first page.
func (s *Service) renderLive() (string, error) {
	html, err := s.kit.HTML("overview", "live", s.board.page())
	return string(html), err
}

// streamOverview answers GET /events with the changing part of the first page, once
// a tick.
func (s *Service) streamOverview(c *fiber.Ctx, listener httpserver.Listener) error {
	return httpserver.Stream(c, listener, func(ctx context.Context, send func(event, data string) error) error {
		heard, leave := s.hub.listen()
		defer leave()
		for {
			select {
			case <-ctx.Done():
				return nil
			case text, open := <-heard:
				if !open {
					return nil
				}
				if err := send(eventOverview, text); err != nil {
					return err
				}
			}
		}
	})
}

// renderError answers browsers with a page and everything else with JSON.
func (s *Service) renderError(c *fiber.Ctx, p *problem.Problem) error {
	if strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML) {
		return s.kit.RenderError(c, p)
	}
	return httpserver.RenderJSON(c, p)
}
