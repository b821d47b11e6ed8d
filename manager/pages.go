package manager

import (
	"context"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui/login"
)

// longestQuery is that of a live page, in bytes.
const longestQuery = 400

// eventPage carries the changing part of a live page.
const eventPage = "page"

// renderLive is the changing part of a page.
func (s *Service) renderLive(of view) (string, error) {
	html, err := s.kit.HTML(of.page, "live", s.livePage(of))
	return string(html), err
}

// streamPage answers GET /events/{page} with the changing part of a page, once a tick.
func (s *Service) streamPage(c *fiber.Ctx) error {
	seen := view{
		page: strings.Clone(c.Params("page")), query: string(c.Request().URI().QueryString()), operator: may(login.User(c), account.RoleOperator),
	}
	if len(seen.query) > longestQuery || s.livePage(seen) == nil {
		return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such live page.")
	}
	return httpserver.Stream(c, s.people.Listener(c), func(ctx context.Context, send func(event, data string) error) error {
		heard, leave := s.hub.listen(seen)
		defer leave()
		for {
			select {
			case <-ctx.Done():
				return nil
			case text, open := <-heard:
				if !open {
					return nil
				}
				if err := send(eventPage, text); err != nil {
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
