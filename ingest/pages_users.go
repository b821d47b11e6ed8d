package ingest

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/mail"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

const usersAPage = 100

// administrator lets a request pass whose session is an administrator's; it stands
// behind login.Required.
func (p *pages) administrator(c *fiber.Ctx) error {
	if login.User(c).Role != account.RoleAdministrator {
		return problem.New(http.StatusForbidden, problem.CodeForbidden, "Only administrators may see this page.")
	}
	return c.Next()
}

// showUsers answers GET /users?q=&after=.
func (p *pages) showUsers(c *fiber.Ctx) error {
	return p.renderUsers(c, webui.UsersPage{})
}

func (p *pages) renderUsers(c *fiber.Ctx, page webui.UsersPage) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	page.Search = strings.TrimSpace(c.Query("q"))
	filter := jobstore.UserFilter{Search: page.Search, After: c.Query("after"), Limit: usersAPage + 1}
	users, err := p.store.ListUsers(ctx, filter)
	if err != nil {
		return storeProblem("listing users", err)
	}
	if len(users) > usersAPage {
		users = users[:usersAPage]
		page.Next = "/users?" + url.Values{"q": {page.Search}, "after": {users[usersAPage-1].Username}}.Encode()
	}
	for _, u := range users {
		page.Users = append(page.Users, userRow(u))
	}
	page.Frame = frame(c, "Users", webui.NavUsers)
	page.First = filter.After == ""
	page.Roles, page.Mail = account.Roles(), p.recoverer.enabled()
	return p.kit.Render(c, "users", page)
}

func userRow(u jobstore.Usage) webui.UserRow {
	row := webui.UserRow{
		ID: u.ID.String(), Username: u.Username, Email: u.Email, Role: u.Role, Photos: u.Photos, Bytes: u.Bytes,
		CreatedAt: u.CreatedAt, LastSeenAt: u.LastSeenAt, State: webui.UserOpen,
	}
	switch {
	case !u.DeletedAt.IsZero():
		row.State = webui.UserErasing
	case u.Disabled:
		row.State = webui.UserClosed
	}
	return row
}

// createUser answers POST /users. Its page is the only place where a first password
// is ever shown.
func (p *pages) createUser(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	made := webui.NewUser{
		Username: strings.TrimSpace(form.Get("username")), Email: strings.TrimSpace(form.Get("email")),
		Role: form.Get("role"), Invite: form.Get("how") == "invitation",
	}
	if wrong := p.wrongUser(made); wrong != "" {
		return p.renderUsers(c.Status(http.StatusUnprocessableEntity), webui.UsersPage{New: made, Wrong: wrong})
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
	defer cancel()
	password := ""
	if !made.Invite {
		password = account.NewPassword()
	}
	user, err := p.accounts.Create(ctx, made.Username, made.Email, made.Role, password)
	switch {
	case errors.Is(err, jobstore.ErrUsernameTaken):
		return p.renderUsers(c.Status(http.StatusConflict), webui.UsersPage{New: made, Wrong: "There is a user of this name already."})
	case err != nil:
		return storeProblem("making a user", err)
	}
	p.audit(ctx, login.User(c).Username, "user.create", user, map[string]string{"role": user.Role})
	page := webui.UsersPage{Made: &webui.MadeUser{ID: user.ID.String(), Username: user.Username, Password: password, Email: user.Email}}
	if made.Invite {
		if err := p.recoverer.invite(ctx, user, login.User(c).Username); err != nil {
			p.tel.Log.WarnContext(ctx, "invitation not mailed", "user_id", user.ID, "err", err)
			page.Made.Unsent = true
		}
	}
	return p.renderUsers(c, page)
}

// wrongUser says what is wrong with a user to be made, "" for nothing.
func (p *pages) wrongUser(u webui.NewUser) string {
	switch {
	case account.ValidateUsername(u.Username) != nil:
		return "A name needs 1 to 100 printable characters."
	case u.Email != "" && !mail.ValidAddress(u.Email):
		return "This is no e-mail address."
	case !slices.Contains(account.Roles(), u.Role):
		return "There is no such role."
	case u.Invite && u.Email == "":
		return "An invitation needs an e-mail address."
	case u.Invite && !p.recoverer.enabled():
		return "No mail can be sent from here; please choose a first password."
	}
	return ""
}

// userOf is the account in the address.
func (p *pages) userOf(ctx context.Context, c *fiber.Ctx) (jobstore.Usage, error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return jobstore.Usage{}, noSuchUser(err)
	}
	user, err := p.store.FindUsage(ctx, id)
	if errors.Is(err, jobstore.ErrNotFound) {
		return jobstore.Usage{}, noSuchUser(err)
	}
	if err != nil {
		return jobstore.Usage{}, storeProblem("finding a user", err)
	}
	return user, nil
}

func noSuchUser(err error) error {
	return problem.New(http.StatusNotFound, problem.CodeNotFound, "There is no such user, or no longer.").WithCause(err)
}

// showUser answers GET /users/{id}.
func (p *pages) showUser(c *fiber.Ctx) error {
	ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
	defer cancel()
	user, err := p.userOf(ctx, c)
	if err != nil {
		return err
	}
	return p.renderUser(c, user, webui.UserPage{})
}

func (p *pages) renderUser(c *fiber.Ctx, user jobstore.Usage, page webui.UserPage) error {
	page.Frame = frame(c, user.Username, webui.NavUsers)
	page.UserRow, page.Roles, page.Mail = userRow(user), account.Roles(), p.recoverer.enabled()
	page.Self = user.ID == login.User(c).ID
	if page.WrongSources == "" {
		ctx, cancel := context.WithTimeout(httpserver.Context(c), findTimeout)
		defer cancel()
		sources, err := p.store.S3Sources(ctx, user.ID)
		if err != nil {
			return storeProblem("reading what an account may name", err)
		}
		page.Sources = strings.Join(sources, "\n")
	}
	return p.kit.Render(c, "user", page)
}

// changeUser makes a handler of a change to the account in the address. It says what
// was done, for the audit.
func (p *pages) changeUser(do func(ctx context.Context, user jobstore.Usage, form url.Values) (action string, err error)) fiber.Handler {
	return func(c *fiber.Ctx) error {
		form, err := httpserver.Form(c)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
		defer cancel()
		user, err := p.userOf(ctx, c)
		if err != nil {
			return err
		}
		if user.ID == login.User(c).ID {
			return ownAccount()
		}
		action, err := do(ctx, user, form)
		if wrong := sentenceFor(err); wrong != "" {
			return p.renderUser(c.Status(http.StatusConflict), user, webui.UserPage{Wrong: wrong})
		}
		if err != nil {
			return storeProblem("changing a user", err)
		}
		p.audit(ctx, login.User(c).Username, action, user.User, nil)
		return c.Redirect("/users/"+user.ID.String(), http.StatusSeeOther)
	}
}

var (
	errNoSuchRole   = errors.New("there is no such role")
	errNotConfirmed = errors.New("the name was not typed")
)

// sentenceFor is what the page says of an error that the administrator can mend.
func sentenceFor(err error) string {
	switch {
	case errors.Is(err, jobstore.ErrLastAdministrator):
		return "This is the last administrator. Give somebody else the role first."
	case errors.Is(err, errNoSuchRole):
		return "There is no such role."
	case errors.Is(err, errNotConfirmed):
		return "Nothing was deleted: the name that was typed is not the user’s."
	}
	return ""
}

func ownAccount() error {
	return problem.New(http.StatusConflict, problem.CodeConflict, "Nobody changes their own account here; another administrator can.")
}

// setRole answers POST /users/{id}/role.
func (p *pages) setRole(ctx context.Context, user jobstore.Usage, form url.Values) (string, error) {
	role := form.Get("role")
	if !slices.Contains(account.Roles(), role) {
		return "", errNoSuchRole
	}
	return "user.role." + role, p.store.SetUserRole(ctx, user.ID, role)
}

// closeUser answers POST /users/{id}/close: sessions and keys are good for nothing
// from now on.
func (p *pages) closeUser(ctx context.Context, user jobstore.Usage, _ url.Values) (string, error) {
	defer p.callers.forget()
	if err := p.store.SetUserDisabled(ctx, user.ID, true); err != nil {
		return "", err
	}
	p.endSessions(ctx, user.User)
	return "user.close", nil
}

// openUser answers POST /users/{id}/open.
func (p *pages) openUser(ctx context.Context, user jobstore.Usage, _ url.Values) (string, error) {
	return "user.open", p.store.SetUserDisabled(ctx, user.ID, false)
}

// deleteUser answers POST /users/{id}/delete: the account is closed at once, what it
// keeps is erased, then the account itself.
func (p *pages) deleteUser(ctx context.Context, user jobstore.Usage, form url.Values) (string, error) {
	if form.Get("typed") != user.Username {
		return "", errNotConfirmed
	}
	if err := p.store.DeleteUser(ctx, user.ID); err != nil {
		return "", err
	}
	p.endSessions(ctx, user.User)
	p.eraser.nudge()
	return "user.delete", nil
}

// endSessions forgets sessions that are good for nothing since the account is closed.
func (p *pages) endSessions(ctx context.Context, user jobstore.User) {
	if err := p.accounts.EndSessions(ctx, user.ID); err != nil {
		p.tel.Log.WarnContext(ctx, "sessions of a closed account not dropped", "user_id", user.ID, "err", err)
	}
}

// resetPassword answers POST /users/{id}/password: by mail, or with a password that
// is shown this once. Who wants another one for themselves proves to know the present
// one, on the page of their account.
func (p *pages) resetPassword(c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), passwordTimeout)
	defer cancel()
	user, err := p.userOf(ctx, c)
	if err != nil {
		return err
	}
	if user.ID == login.User(c).ID {
		return ownAccount()
	}
	if user.Disabled {
		return p.renderUser(c.Status(http.StatusConflict), user, webui.UserPage{Wrong: "The account is closed."})
	}
	var page webui.UserPage
	if form.Get("how") == "invitation" {
		if user.Email == "" {
			return p.renderUser(c.Status(http.StatusConflict), user, webui.UserPage{Wrong: "The account has no e-mail address."})
		}
		if err := p.recoverer.invite(ctx, user.User, login.User(c).Username); err != nil {
			return mailProblem(err)
		}
		page.Done = "A link to choose a password is on its way to " + user.Email + "."
	} else {
		page.NewPassword = account.NewPassword()
		if err := p.accounts.SetPassword(ctx, user.ID, page.NewPassword); err != nil {
			return storeProblem("setting a password", err)
		}
	}
	p.audit(ctx, login.User(c).Username, "user.password_reset", user.User, nil)
	return p.renderUser(c, user, page)
}
