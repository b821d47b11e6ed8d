package login

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

// localUser is the key of who makes a request.
type localUser struct{}

// User is who makes the request; only behind Required.
func User(c *fiber.Ctx) jobstore.User {
	user, _ := c.Locals(localUser{}).(jobstore.User)
	return user
}

// Required lets a request pass whose session is one of somebody the site admits. A
// browser without one is sent to the log-in page, a script is told 401.
func (p *Pages) Required(c *fiber.Ctx) error {
	user, err := p.current(c)
	if errors.Is(err, errNobody) {
		if !strings.Contains(c.Get(fiber.HeaderAccept), fiber.MIMETextHTML) {
			return problem.New(http.StatusUnauthorized, problem.CodeUnauthenticated, "Please log in.")
		}
		return c.Redirect(p.loginAddress(c), http.StatusSeeOther)
	}
	if err != nil {
		return err
	}
	webui.Remember(c, webui.Frame{Site: p.site.Name, User: user.Username, Admin: user.Role == account.RoleAdministrator})
	if !p.admits(user) {
		return notAdmitted(user)
	}
	c.Locals(localUser{}, user)
	return c.Next()
}

// Listener lets the person who makes the request follow a stream of events until
// the session ends or the site no longer admits them; only behind Required.
func (p *Pages) Listener(c *fiber.Ctx) httpserver.Listener {
	token := c.Cookies(Cookie)
	return httpserver.Listener{Account: User(c).ID, Valid: func(ctx context.Context) bool {
		user, err := p.accounts.Session(ctx, token)
		if err != nil {
			return !account.Ended(err)
		}
		return p.admits(user)
	}}
}

// loginAddress leads back to the page that was asked for, unless that was a form's.
func (p *Pages) loginAddress(c *fiber.Ctx) string {
	if c.Method() != fiber.MethodGet || c.OriginalURL() == "/" {
		return "/login"
	}
	return "/login?next=" + url.QueryEscape(c.OriginalURL())
}

var errNobody = errors.New("nobody is logged in")

// current is whose session the request carries, or errNobody.
func (p *Pages) current(c *fiber.Ctx) (jobstore.User, error) {
	webui.Remember(c, webui.Frame{Site: p.site.Name})
	token := c.Cookies(Cookie)
	if token == "" {
		return jobstore.User{}, errNobody
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), checkTimeout)
	defer cancel()
	var user jobstore.User
	err := insist(ctx, func(ctx context.Context) (err error) {
		user, err = p.accounts.Session(ctx, token)
		return err
	})
	switch {
	case err == nil:
		p.seen.put(token, user)
		return user, nil
	case account.Ended(err):
		p.seen.drop(token)
		return jobstore.User{}, errNobody
	}
	if known, ok := p.seen.get(token); ok {
		p.log.DebugContext(ctx, "session taken from memory", "err", err)
		return known, nil
	}
	return jobstore.User{}, unavailable(err)
}

// localPath is a path of this site, "/" if next is none.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.IsAbs() || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(u.Path, "//") || strings.Contains(next, `\`) {
		return "/"
	}
	return next
}

// setCookie lets the browser come back as the session's user. It lasts as long as
// the browser; the session itself ends on the server.
func setCookie(c *fiber.Ctx, token string) {
	c.Cookie(&fiber.Cookie{
		Name: Cookie, Value: token, Path: "/", HTTPOnly: true, Secure: httpserver.Secure(c),
		SameSite: fiber.CookieSameSiteLaxMode, SessionOnly: true,
	})
}

func clearCookie(c *fiber.Ctx) {
	c.Cookie(&fiber.Cookie{
		Name: Cookie, Path: "/", HTTPOnly: true, Secure: httpserver.Secure(c),
		SameSite: fiber.CookieSameSiteLaxMode, Expires: time.Unix(1, 0),
	})
}
