package ingest

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/account"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui/login"
)

const authenticateTimeout = 10 * time.Second // password hashing waits for its turn

// caller is who makes a request, and what for.
type caller struct {
	user   jobstore.User
	scopes []string
}

// localCaller is the key of what a request carries once its caller is known.
type localCaller struct{}

// allow lets requests pass whose caller has the scope.
func (s *Service) allow(scope string) fiber.Handler {
	return func(c *fiber.Ctx) error {
		who, err := s.caller(c)
		if err != nil {
			return err
		}
		if !slices.Contains(who.scopes, scope) {
			return problem.New(http.StatusForbidden, problem.CodeForbidden, "This API key does not have the scope “"+scope+"”.")
		}
		if bearer(c) == "" { // a browser sends its cookie for other sites, too
			return httpserver.SameOrigin(c)
		}
		return c.Next()
	}
}

// currentUser is who makes the request, by API key or by session cookie; nobody is
// 401 unauthenticated.
func (s *Service) currentUser(c *fiber.Ctx) (jobstore.User, error) {
	who, err := s.caller(c)
	return who.user, err
}

func (s *Service) caller(c *fiber.Ctx) (caller, error) {
	if known, ok := c.Locals(localCaller{}).(caller); ok {
		return known, nil
	}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), authenticateTimeout)
	defer cancel()
	who, err := s.identifyCaller(ctx, c)
	if err != nil {
		return caller{}, credentialProblem(err)
	}
	c.Locals(localCaller{}, who)
	return who, nil
}

func (s *Service) identifyCaller(ctx context.Context, c *fiber.Ctx) (who caller, err error) {
	if key := bearer(c); key != "" {
		who.user, who.scopes, err = s.accounts.Authenticate(ctx, key)
		return who, err
	}
	token := c.Cookies(login.Cookie)
	if token == "" {
		return who, unauthenticated()
	}
	// Who is logged in by the pages may do all that a key can.
	who.scopes = []string{account.ScopeRead, account.ScopeWrite}
	who.user, err = s.accounts.Session(ctx, token)
	return who, err
}

// bearer is the API key in the Authorization header, "" without one.
func bearer(c *fiber.Ctx) string {
	scheme, key, _ := strings.Cut(c.Get(fiber.HeaderAuthorization), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(key)
}

// credentialProblem turns an error about who somebody is into what they are told.
func credentialProblem(err error) error {
	switch {
	case errors.Is(err, account.ErrWrongCredentials):
		return problem.New(http.StatusUnauthorized, problem.CodeWrongCredentials, "The username or password is wrong.").WithCause(err)
	case errors.Is(err, account.ErrDisabled):
		return problem.New(http.StatusForbidden, problem.CodeForbidden, "This account is disabled.").WithCause(err)
	case errors.Is(err, jobstore.ErrNotFound):
		return unauthenticated().WithCause(err)
	}
	var known *problem.Problem
	if errors.As(err, &known) {
		return known
	}
	return storeProblem("checking who asks", err)
}

func unauthenticated() *problem.Problem {
	return problem.New(http.StatusUnauthorized, problem.CodeUnauthenticated,
		"Please log in, or send a valid API key as “Authorization: Bearer mf_…”.")
}
