package manager

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui"
	"maskfleet/pkg/webui/login"
)

// button is an action of the pages. It asks for the command that an operator would type,
// under the person's name, so that there is one way to do a thing and one record of it.
// Q is the command's request, A its answer.
type button[Q, A any] struct {
	path    string // to which its form is posted
	subject string // of the command; empty: subjectOf says
	least   string // role; an operator, unless said
	nav     string

	// subjectOf is the subject of a command whose address the request names.
	subjectOf func(q Q) string

	// request reads the form; an error is for the person.
	request func(form url.Values) (Q, error)
	// confirm says what is about to be done, by the answer of a dry run; nil: it is
	// done at once, for it is easily undone and touches one thing.
	confirm func(q Q, dry A) webui.ConfirmPage
	// words must be typed before it is done; nil: none must be. The page asks for them,
	// and whatever is posted is held to them: also what comes from no page of ours.
	words func(q Q) (string, error)
	// typedAs is the request with the words in it, of a command that wants them, too.
	typedAs func(q Q, words string) Q
	// done says in a sentence what was done.
	done func(q Q, a A) webui.Said
	// shows says by what the readings show that it was done, where that takes more than
	// to read them again; nil: it does not.
	shows func(q Q, a A) func(*board) bool
	// back is where the person goes then.
	back func(form url.Values) string
	// ends answers in the place of done and back, of what leaves nothing to go back to.
	ends func(c *fiber.Ctx, by command.Asker, a A) error
}

// route is the button's address.
func (b button[Q, A]) route(s *Service) route {
	least := b.least
	if least == "" {
		least = account.RoleOperator
	}
	return route{fiber.MethodPost, b.path, least, func(c *fiber.Ctx) error { return b.press(s, c) }}
}

// about is the subject of the command.
func (b button[Q, A]) about(q Q) string {
	if b.subjectOf != nil {
		return b.subjectOf(q)
	}
	return b.subject
}

// press answers the form: with a page to confirm, or with the page it came from and
// what was done. A refusal of the command is shown there, too.
func (b button[Q, A]) press(s *Service, c *fiber.Ctx) error {
	form, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	q, err := b.request(form)
	if err != nil {
		return b.refuse(c, form, err)
	}
	if err := b.wasTyped(q, form); err != nil {
		return b.refuse(c, form, err)
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), longCommand)
	defer cancel()
	by := command.Asker{Name: login.User(c).Username, Via: command.ViaPage}
	if b.confirm != nil && form.Get("confirmed") == "" {
		return b.ask(ctx, s, c, by, q, form)
	}
	answer, err := command.Ask[A](ctx, s.queue, b.about(q), by, q)
	if err != nil {
		return b.refuse(c, form, err)
	}
	if b.ends != nil {
		return b.ends(c, by, answer)
	}
	said := b.done(q, answer)
	var shows func(*board) bool
	if b.shows != nil {
		shows = b.shows(q, answer)
	}
	if !s.board.catchUp(ctx, shows) {
		said.Words += " It does not show here yet."
	}
	say(c, said)
	return c.Redirect(b.back(form), http.StatusSeeOther)
}

// wasTyped refuses a confirmed form without the words.
func (b button[Q, A]) wasTyped(q Q, form url.Values) error {
	if b.words == nil || form.Get("confirmed") == "" {
		return nil
	}
	words, err := b.words(q)
	if err != nil {
		return err
	}
	if strings.TrimSpace(form.Get("typed")) != words {
		return command.Invalid(fmt.Sprintf("Nothing was done: “%s” was to be typed first.", words))
	}
	return nil
}

// typing has the same words typed always.
func typing[Q any](words string) func(Q) (string, error) {
	return func(Q) (string, error) { return words, nil }
}

// ask shows what would be done.
func (b button[Q, A]) ask(ctx context.Context, s *Service, c *fiber.Ctx, by command.Asker, q Q, form url.Values) error {
	text, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("asking %s: %w", b.about(q), err)
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil {
		return fmt.Errorf("asking %s: %w", b.about(q), err)
	}
	fields["dry_run"] = json.RawMessage("true")
	dry, err := command.Ask[A](ctx, s.queue, b.about(q), by, fields)
	if err != nil {
		return b.refuse(c, form, err)
	}
	page := b.confirm(q, dry)
	if b.words != nil {
		if page.Typed, err = b.words(q); err != nil {
			return b.refuse(c, form, err)
		}
	}
	page.Frame = frame(c, page.Heading, b.nav)
	page.Action, page.Back = b.path, b.back(form)
	if b.typedAs != nil {
		if text, err = json.Marshal(b.typedAs(q, page.Typed)); err != nil {
			return fmt.Errorf("asking %s: %w", b.about(q), err)
		}
	}
	page.Does = webui.NewCommand("does", b.about(q), text)
	for name, values := range form {
		if name == "typed" || name == "why" && page.Why || name == "for" && page.Term != "" { // the page asks for them
			continue
		}
		for _, value := range values {
			page.Fields = append(page.Fields, webui.Field{Name: name, Value: value})
		}
	}
	return s.kit.Render(c, "confirm", page)
}

// refuse says what the command said against it, on the page from which it was asked; what is our
// own fault gets the error page, with the request's name in the log.
func (b button[Q, A]) refuse(c *fiber.Ctx, form url.Values, err error) error {
	var p *problem.Problem
	if !errors.As(err, &p) || p.Status == http.StatusInternalServerError {
		return err
	}
	say(c, webui.Said{Words: p.Detail + command.Outcome(err), Wrong: true})
	return c.Redirect(b.back(form), http.StatusSeeOther)
}

// to leads back to the same place always.
func to(path string) func(url.Values) string { return func(url.Values) string { return path } }
