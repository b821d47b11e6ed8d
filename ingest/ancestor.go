package ingest

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// The ancestor's two endpoints, unchanged for its test rigs: parameters in the body
// only, and every answer an object with "success".

type ancestorCounts struct {
	NumFaces    int `json:"num_faces"`
	NumMasked   int `json:"num_masked"`
	NumUnmasked int `json:"num_unmasked"`
}

type ancestorSuccess struct {
	Success bool            `json:"success"`
	Payload *ancestorCounts `json:"payload,omitempty"`
}

type ancestorError struct {
	Code    int    `json:"code"` // the HTTP status
	Message string `json:"message"`
}

type ancestorFailure struct {
	Success bool          `json:"success"`
	Error   ancestorError `json:"error"`
}

func renderAncestorError(c *fiber.Ctx, p *problem.Problem) error {
	return c.Status(p.Status).JSON(ancestorFailure{Error: ancestorError{Code: p.Status, Message: p.Detail}})
}

// ancestorRegister answers POST /api/register.
func (s *Service) ancestorRegister(c *fiber.Ctx) error {
	if !s.cfg.RegisterEnabled {
		return problem.New(http.StatusForbidden, problem.CodeForbidden,
			"Accounts are made by an administrator here.")
	}
	if err := refuseQuery(c, "username", "password"); err != nil {
		return err
	}
	fields, err := httpserver.Form(c)
	if err != nil {
		return err
	}
	if err := missing(fields, "username", "password"); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), authenticateTimeout)
	defer cancel()
	if err := s.register(ctx, fields.Get("username"), fields.Get("password")); err != nil {
		return err
	}
	return c.JSON(ancestorSuccess{Success: true})
}

// ancestorUpload answers POST /api/upload: it submits the photo as every other and
// waits for its result. Past the limit the photo is kept and finished.
func (s *Service) ancestorUpload(c *fiber.Ctx) error {
	if err := refuseQuery(c, "username", "password", "file"); err != nil {
		return err
	}
	f, err := s.readForm(c)
	defer f.release()
	if err != nil {
		return err
	}
	fields := url.Values{}
	for name, value := range f.fields {
		fields.Set(name, value)
	}
	if err := missing(fields, "username", "password"); err != nil {
		return err
	}
	user, err := s.verify(httpserver.Context(c), credentials{
		username: fields.Get("username"), password: fields.Get("password"),
		address: httpserver.ClientIP(c), waiting: int64(len(f.file.data)),
	})
	if err != nil {
		return err
	}
	photo, err := s.acceptUpload(httpserver.Context(c), user, *f.file)
	if err != nil {
		return err
	}
	f.release() // nobody needs the bytes while we wait
	seen, err := s.wait(httpserver.Context(c), user, photo.ID, s.cfg.Waiting.UploadWait)
	switch {
	case err == nil:
		return answerAncestor(c, seen)
	case away(err): // the photo is safe all the same
		return answerAncestor(c, photo)
	default:
		return err
	}
}

func answerAncestor(c *fiber.Ctx, photo job.Photo) error {
	if e := apiv1.ErrorOf(photo); e != nil {
		status := http.StatusUnprocessableEntity
		if e.Retryable {
			status = http.StatusInternalServerError
		}
		return problem.New(status, string(e.Code), e.Message)
	}
	if photo.Row.State != job.StateSucceeded {
		return problem.New(http.StatusGatewayTimeout, problem.CodeWaitTimeout,
			"The photo was accepted but is not finished yet. It is kept and will be finished.")
	}
	counts := job.Count(photo.Result.Faces)
	return c.JSON(ancestorSuccess{Success: true, Payload: &ancestorCounts{
		NumFaces: counts.Faces, NumMasked: counts.Masked, NumUnmasked: counts.Unmasked,
	}})
}

func (s *Service) register(ctx context.Context, username, password string) error {
	refuse := func(field string, err error) error {
		return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The "+field+" is "+err.Error()+".").
			WithField(field, err.Error())
	}
	if err := account.ValidateUsername(username); err != nil {
		return refuse("username", err)
	}
	if err := account.ValidatePassword(password, account.ByAPI); err != nil {
		return refuse("password", err)
	}
	_, err := s.accounts.Register(ctx, username, password, account.ByAPI)
	if errors.Is(err, jobstore.ErrUsernameTaken) {
		return problem.New(http.StatusConflict, problem.CodeUsernameTaken, "This username is taken.").WithCause(err)
	}
	if err != nil {
		return storeProblem("registering an account", err)
	}
	return nil
}

// refuseQuery refuses parameters in the URL, where logs would keep them.
func refuseQuery(c *fiber.Ctx, names ...string) error {
	for _, name := range names {
		if c.Context().QueryArgs().Has(name) {
			return problem.New(http.StatusBadRequest, problem.CodeUnexpectedParameter,
				"Parameters must be sent in the body, not in the address.").WithField(name, "must not be in the address")
		}
	}
	return nil
}

// missing names the fields that were not sent or are empty.
func missing(fields url.Values, names ...string) error {
	p := problem.New(http.StatusBadRequest, problem.CodeMissingField, "A field is missing.")
	for _, name := range names {
		if fields.Get(name) == "" {
			p = p.WithField(name, "is missing")
			p.Detail = "The field “" + name + "” is missing."
		}
	}
	if len(p.Errors) == 0 {
		return nil
	}
	return p
}
