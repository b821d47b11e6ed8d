package login

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
)

// Cookie names the session cookie; both sites share it.
const Cookie = "maskfleet_session"

const checkTimeout = 10 * time.Second // password hashing waits for its turn

// accounts knows who people are.
type accounts interface {
	Verify(ctx context.Context, username, password string) (jobstore.User, error)
	StartSession(ctx context.Context, user jobstore.User) (token string, err error)
	Session(ctx context.Context, token string) (jobstore.User, error)
	EndSession(ctx context.Context, token string) error
}

// Site is what differs between the sites.
type Site struct {
	Name webui.Site
	// Admits says whether the site lets an account in; nil lets everybody in.
	Admits func(jobstore.User) bool
	// OutageGrace is how long a session that was seen lately still counts while
	// sessions cannot be read. Zero: not at all.
	OutageGrace time.Duration
	// Recover is where a forgotten password leads; "" for nowhere.
	Recover string
}

// Pages is the log-in of one site. It is safe for concurrent use.
type Pages struct {
	site     Site
	kit      *webui.Kit
	accounts accounts
	tries    *Tries
	log      *slog.Logger
	seen     *seen
}

// New makes the log-in of a site.
func New(site Site, kit *webui.Kit, people *account.Accounts, limits *cache.Cache, log *slog.Logger) *Pages {
	return &Pages{site: site, kit: kit, accounts: people, tries: NewTries(people, limits), log: log, seen: newSeen(site.OutageGrace)}
}

// Mount adds GET and POST /login and POST /logout.
func (p *Pages) Mount(app fiber.Router) {
	app.Get("/login", p.show)
	app.Post("/login", httpserver.SameOrigin, p.logIn)
	app.Post("/logout", httpserver.SameOrigin, p.logOut)
}

func (p *Pages) show(c *fiber.Ctx) error {
	next := localPath(c.Query("next"))
	if user, err := p.current(c); err == nil && p.admits(user) {
		return c.Redirect(next, http.StatusSeeOther)
	}
	return p.render(c, webui.LoginPage{Next: next})
}

func (p *Pages) render(c *fiber.Ctx, page webui.LoginPage) error {
	page.Frame = webui.Frame{Site: p.site.Name, Title: "Log in"}
	page.Recover = p.site.Recover
	return p.kit.Render(c, "login", page)
}

func (p *Pages) logIn(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	page := webui.LoginPage{Username: form.Get("username"), Next: localPath(form.Get("next"))}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), checkTimeout)
	defer cancel()
	token, err := p.enter(ctx, c, page.Username, form.Get("password"))
	if err != nil {
		refused := problem.From(err)
		if refused.Status >= http.StatusInternalServerError {
			return err
		}
		p.log.InfoContext(ctx, "log-in refused", "code", refused.Code, "address", httpserver.ClientIP(c))
		if after := refused.RetryAfterHeader(); after != "" {
			c.Set(fiber.HeaderRetryAfter, after)
		}
		page.Wrong = refused.Detail
		return p.render(c.Status(refused.Status), page)
	}
	setCookie(c, token)
	return c.Redirect(page.Next, http.StatusSeeOther)
}

// enter starts a session for somebody whose try counts, whose credentials are right
// and whom the site admits.
func (p *Pages) enter(ctx context.Context, c *fiber.Ctx, username, password string) (token string, err error) {
	try := p.tries.Of(username, httpserver.ClientIP(c))
	if err := try.count(ctx); err != nil {
		return "", unavailable(err)
	}
	user, err := p.accounts.Verify(ctx, username, password)
	switch {
	case errors.Is(err, account.ErrWrongCredentials):
		if err := try.Failed(ctx); err != nil {
			p.log.WarnContext(ctx, "failed log-in not counted", "err", err)
		}
		return "", problem.New(http.StatusUnauthorized, problem.CodeWrongCredentials, "The name or the password is wrong.")
	case errors.Is(err, account.ErrDisabled):
		return "", problem.New(http.StatusForbidden, problem.CodeForbidden, "This account is closed. An administrator can open it again.")
	case err != nil:
		return "", unavailable(err)
	case !p.admits(user):
		return "", notAdmitted(user)
	}
	if old := c.Cookies(Cookie); old != "" {
		p.forget(ctx, old)
	}
	err = insist(ctx, func(ctx context.Context) (err error) {
		token, err = p.accounts.StartSession(ctx, user)
		return err
	})
	if err != nil {
		return "", unavailable(err)
	}
	return token, nil
}

func (p *Pages) logOut(c *fiber.Ctx) error {
	if token := c.Cookies(Cookie); token != "" {
		p.forget(httpserver.Context(c), token)
	}
	clearCookie(c)
	return c.Redirect("/login", http.StatusSeeOther)
}

// Restart gives the browser a new session in place of the one it has, which is good
// no more since the account's password changed.
func (p *Pages) Restart(c *fiber.Ctx, user jobstore.User) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), checkTimeout)
	defer cancel()
	p.forget(ctx, c.Cookies(Cookie))
	var token string
	err := insist(ctx, func(ctx context.Context) (err error) {
		token, err = p.accounts.StartSession(ctx, user)
		return err
	})
	if err != nil {
		return unavailable(err)
	}
	setCookie(c, token)
	return nil
}

// forget ends a session. If that cannot be done now, the cookie is gone from the
// browser all the same and the session ends by itself.
func (p *Pages) forget(ctx context.Context, token string) {
	p.seen.drop(token)
	if err := p.accounts.EndSession(ctx, token); err != nil {
		p.log.WarnContext(ctx, "session not ended", "err", err)
	}
}

func (p *Pages) admits(user jobstore.User) bool { return p.site.Admits == nil || p.site.Admits(user) }

func notAdmitted(user jobstore.User) *problem.Problem {
	return problem.New(http.StatusForbidden, problem.CodeForbidden,
		"The account “"+user.Username+"” may not enter this site. An administrator can give it a role that may.")
}

// unavailable is the answer when a store that is needed for the log-in does not
// answer. Any other error is a mistake of ours.
func unavailable(err error) error {
	if errors.Is(err, cache.ErrUnavailable) || errors.Is(err, jobstore.ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return problem.New(http.StatusServiceUnavailable, problem.CodeUnavailable,
			"Nobody can be logged in at the moment. Nothing is lost; please try again in a few seconds.").
			WithRetryAfter(5 * time.Second).WithCause(err)
	}
	return err
}
