package manager

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// pageTimeout bounds what a page asks of the stores. One that is away must not keep a
// person waiting for a page that says so.
const pageTimeout = 4 * time.Second

// route is an address of the pages, and the role that it takes at least.
type route struct {
	method, path string
	least        string
	handle       fiber.Handler
}

func look(path string, handle fiber.Handler) route {
	return route{fiber.MethodGet, path, account.RoleViewer, handle}
}

// prepare is the page of a form that only its role may send.
func prepare(path, least string, handle fiber.Handler) route {
	return route{fiber.MethodGet, path, least, handle}
}

// pages is every address that a person with a role may ask for.
func (s *Service) pages() []route {
	return slices.Concat([]route{
		look("/", s.showOverview),
		look("/events/:page", s.streamPage),
	}, s.queuePages(), s.fleetPages(), s.scalingPages(), s.jobPages(), s.failurePages(), s.auditPages(), s.erasePages(), s.healthPages())
}

// live are the pages that go on changing by themselves, by their names in /events and
// in the kit.
func (s *Service) live() map[string]func(operator bool) any {
	return map[string]func(bool) any{
		"overview": func(bool) any { return s.overview() },
		"erase":    func(bool) any { return s.erasePage() },
		"health":   func(bool) any { return s.healthPage() },
		"queue":    func(operator bool) any { return s.queuePage(operator) },
		"failures": func(operator bool) any { return s.failuresPage(operator) },
	}
}

// livePage is what a live page shows to whom; nil if there is none of that name.
func (s *Service) livePage(of view) any {
	if fill := s.live()[of.page]; fill != nil {
		return fill(of.operator)
	}
	values, err := url.ParseQuery(of.query)
	if err != nil {
		return nil
	}
	switch of.page {
	case "fleet":
		return s.fleetPage(values, of.operator)
	case "instance":
		page, _ := s.instancePage(values.Get("id")) // one that has gone meanwhile is said to have
		page.Operator = of.operator
		return page
	case "audit":
		return s.auditNews(values)
	case "scaling":
		return s.scalingPage(of.operator)
	}
	return nil
}

// routes is every address of the manager, beside /healthz and /readyz.
func (s *Service) routes(app *fiber.App) {
	s.people = login.New(login.Site{Name: webui.SiteManager, Admits: admits, OutageGrace: s.cfg.Reading.SessionGrace},
		s.kit, s.accounts, s.cache, s.tel.Log)
	s.kit.Mount(app)
	s.people.Mount(app)
	for _, r := range s.pages() {
		guards := []fiber.Handler{s.people.Required, remember, atLeast(r.least)}
		if r.method != fiber.MethodGet {
			guards = append([]fiber.Handler{httpserver.SameOrigin}, guards...)
		}
		app.Add(r.method, r.path, append(guards, r.handle)...)
	}
}

// roles are those that may enter, each of which may do what those before it may.
func roles() []string {
	return []string{account.RoleViewer, account.RoleOperator, account.RoleAdministrator}
}

// admits lets in whoever has something to do with the fleet.
func admits(user jobstore.User) bool { return slices.Contains(roles(), user.Role) }

// may says whether somebody has a role or one above it.
func may(user jobstore.User, least string) bool {
	return admits(user) && slices.Index(roles(), user.Role) >= slices.Index(roles(), least)
}

// atLeast refuses whoever may look but not do this.
func atLeast(least string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		if user := login.User(c); !may(user, least) {
			return problem.New(http.StatusForbidden, problem.CodeForbidden, fmt.Sprintf(
				"This takes the role %s, and the account “%s” is a %s. Nothing was done.", least, user.Username, user.Role))
		}
		return c.Next()
	}
}

// frame is what a page has around it.
func frame(c *fiber.Ctx, title, nav string) webui.Frame {
	user := login.User(c)
	return webui.Frame{
		Site: webui.SiteManager, Title: title, Nav: nav, User: user.Username,
		Operator: may(user, account.RoleOperator), Admin: may(user, account.RoleAdministrator), Said: said(c),
	}
}

// remember keeps the frame for an error page, with the buttons of who asks.
func remember(c *fiber.Ctx) error {
	user := login.User(c)
	webui.Remember(c, webui.Frame{
		Site: webui.SiteManager, User: user.Username,
		Operator: may(user, account.RoleOperator), Admin: may(user, account.RoleAdministrator),
	})
	return c.Next()
}

// within is a page's context.
func within(c *fiber.Ctx) (context.Context, context.CancelFunc) {
	return context.WithTimeout(httpserver.Context(c), pageTimeout)
}
