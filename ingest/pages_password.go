package ingest

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/mail"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

const (
	// passwordTimeout is for what hashes a password: it waits for its turn.
	passwordTimeout = 10 * time.Second
	badPassword     = "A password needs 10 to 256 characters."
)

// outsideFrame is what surrounds a page of somebody who is not logged in.
func outsideFrame(title string) webui.Frame {
	return webui.Frame{Site: webui.SiteDoor, Title: title}
}

// showForgotten answers GET /password/forgotten.
func (p *pages) showForgotten(c *fiber.Ctx) error {
	return p.renderForgotten(c, webui.ForgottenPage{})
}

func (p *pages) renderForgotten(c *fiber.Ctx, page webui.ForgottenPage) error {
	page.Frame = outsideFrame("New password")
	page.Mail = p.recoverer.enabled()
	return p.kit.Render(c, "forgotten", page)
}

// askRecovery answers POST /password/forgotten, the same whether there is such an
// account or not.
func (p *pages) askRecovery(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	who := strings.TrimSpace(form.Get("who"))
	if !p.recoverer.enabled() || who == "" {
		return p.renderForgotten(c, webui.ForgottenPage{})
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
	defer cancel()
	if err := p.tries.Recovery(ctx, who, httpserver.ClientIP(c)); err != nil {
		refused := problem.From(err)
		if refused.Status != http.StatusTooManyRequests {
			return storeProblem("counting recoveries", err)
		}
		c.Set(fiber.HeaderRetryAfter, refused.RetryAfterHeader())
		return p.renderForgotten(c.Status(refused.Status), webui.ForgottenPage{Who: who, Wrong: refused.Detail})
	}
	if err := p.recoverer.ask(who); err != nil {
		return err
	}
	return p.renderForgotten(c, webui.ForgottenPage{Sent: true})
}

// showNewPassword answers GET /password/new?token=…, where the link of a mail leads.
func (p *pages) showNewPassword(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	token := c.Query("token")
	user, err := p.accounts.RecoveryOf(ctx, token)
	return p.renderNewPassword(c, webui.NewPasswordPage{Token: token, Username: user.Username}, err)
}

// renderNewPassword shows the form, or why there is none.
func (p *pages) renderNewPassword(c *fiber.Ctx, page webui.NewPasswordPage, err error) error {
	page.Frame = outsideFrame("New password")
	switch {
	case errors.Is(err, jobstore.ErrNotFound):
		page.Over = true
		c.Status(http.StatusGone)
	case errors.Is(err, account.ErrInvalid):
		page.Wrong = badPassword
		c.Status(http.StatusUnprocessableEntity)
	case err != nil:
		return storeProblem("using a recovery", err)
	}
	return p.kit.Render(c, "new-password", page)
}

// setNewPassword answers POST /password/new. It logs nobody in: who has the link need
// not be at the keyboard that used it.
func (p *pages) setNewPassword(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
	defer cancel()
	page := webui.NewPasswordPage{Token: form.Get("token")}
	user, err := p.accounts.RecoveryOf(ctx, page.Token)
	if err == nil {
		page.Username = user.Username
		_, err = p.accounts.Recover(ctx, page.Token, form.Get("password"))
	}
	if err == nil {
		page.Done = true
		p.audit(ctx, user.Username, "user.password_recovered", user, nil)
	}
	return p.renderNewPassword(c, page, err)
}

// proveOneself asks for the present password before something that a session alone
// must not do. A wrong one is a sentence for the page.
func (p *pages) proveOneself(ctx context.Context, c *fiber.Ctx, password string) (wrong string, err error) {
	user := login.User(c)
	try := p.tries.Of(user.Username, httpserver.ClientIP(c))
	if err := try.Look(ctx); err != nil {
		if refused := problem.From(err); refused.Status == http.StatusTooManyRequests {
			return refused.Detail, nil
		}
		return "", storeProblem("counting tries", err)
	}
	_, err = p.accounts.Verify(ctx, user.Username, password)
	if errors.Is(err, account.ErrWrongCredentials) {
		if err := try.Failed(ctx); err != nil {
			p.tel.Log.WarnContext(ctx, "failed try not counted", "err", err)
		}
		return "The present password is wrong.", nil
	}
	if err != nil {
		return "", storeProblem("checking a password", err)
	}
	return "", nil
}

// changePassword answers POST /account/password. The session it came with goes on as
// a new one; all others end.
func (p *pages) changePassword(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
	defer cancel()
	wrong, err := p.proveOneself(ctx, c, form.Get("present"))
	if err != nil {
		return err
	}
	user := login.User(c)
	if wrong == "" {
		user, err = p.accounts.ChangePassword(ctx, user, form.Get("present"), form.Get("password"))
		switch {
		case errors.Is(err, account.ErrInvalid):
			wrong = badPassword
		case err != nil:
			return storeProblem("changing a password", err)
		}
	}
	if wrong != "" {
		return p.renderAccount(c.Status(http.StatusUnprocessableEntity), webui.AccountPage{WrongPassword: wrong})
	}
	p.audit(ctx, user.Username, "user.password_changed", user, nil)
	if err := p.login.Restart(c, user); err != nil {
		return err
	}
	return p.renderAccount(c, webui.AccountPage{Done: "The password is changed. All other sessions of yours have ended."})
}

// changeEmail answers POST /account/email. A link to a new password goes to that
// address: that is why it takes the present one.
func (p *pages) changeEmail(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	email := strings.TrimSpace(form.Get("email"))
	ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
	defer cancel()
	wrong := ""
	if email != "" && !mail.ValidAddress(email) {
		wrong = "This is no e-mail address."
	} else if wrong, err = p.proveOneself(ctx, c, form.Get("present")); err != nil {
		return err
	}
	if wrong != "" {
		return p.renderAccount(c.Status(http.StatusUnprocessableEntity), webui.AccountPage{WrongEmail: wrong, Email: email})
	}
	user := login.User(c)
	if err := p.store.SetUserEmail(ctx, user.ID, email); err != nil {
		return storeProblem("setting an e-mail address", err)
	}
	p.audit(ctx, user.Username, "user.email_changed", user, nil)
	return p.renderAccount(c, webui.AccountPage{Email: email, Done: "The e-mail address is saved."})
}
