package ingest

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// showAccount answers GET /account.
func (p *pages) showAccount(c *fiber.Ctx) error {
	return p.renderAccount(c, webui.AccountPage{})
}

func (p *pages) renderAccount(c *fiber.Ctx, page webui.AccountPage) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	user := login.User(c)
	keys, err := p.store.ListAPIKeys(ctx, user.ID)
	if err != nil {
		return storeProblem("listing API keys", err)
	}
	sources, err := p.store.S3Sources(ctx, user.ID)
	if err != nil {
		return storeProblem("reading what an account may name", err)
	}
	page.Frame, page.Sources = frame(c, "Account", webui.NavAccount), sources
	page.Role = user.Role
	if page.Email == "" && page.WrongEmail == "" {
		page.Email = user.Email
	}
	for _, k := range keys {
		if k.RevokedAt.IsZero() {
			page.Keys = append(page.Keys, webui.KeyRow{
				ID: k.ID.String(), Name: k.Name, Prefix: k.Prefix, Scopes: k.Scopes, CreatedAt: k.CreatedAt, LastUsedAt: k.LastUsedAt,
			})
		}
	}
	return p.kit.Render(c, "account", page)
}

// makeKey answers POST /account/keys. Its page is the only place where the key is
// ever shown.
func (p *pages) makeKey(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	name := strings.TrimSpace(form.Get("name"))
	plain, key, err := p.accounts.NewAPIKey(ctx, login.User(c), name, form["scope"])
	if errors.Is(err, account.ErrInvalid) {
		return p.renderAccount(c.Status(http.StatusUnprocessableEntity), webui.AccountPage{
			Wrong: "A key needs a name of at most 100 characters, and must be allowed to do something.",
		})
	}
	if err != nil {
		return storeProblem("making an API key", err)
	}
	return p.renderAccount(c, webui.AccountPage{NewKey: plain, NewName: key.Name})
}

// revokeKey answers POST /account/keys/{id}/revoke. Revoking twice is no mistake.
func (p *pages) revokeKey(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such key.").WithCause(err)
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	if err := p.store.RevokeAPIKey(ctx, login.User(c).ID, id); err != nil && !errors.Is(err, jobstore.ErrNotFound) {
		return storeProblem("revoking an API key", err)
	}
	p.callers.forget()
	return c.Redirect("/account", http.StatusSeeOther)
}
