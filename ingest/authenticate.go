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
	proof := proofOf(c)
	who, known := s.callers.find(proof.key)
	if !known {
		ctx, cancel := context.WithTimeout(httpserver.Context(c), authenticateTimeout)
		defer cancel()
		var err error
		if who, err = s.identifyCaller(ctx, proof); err != nil {
			return caller{}, credentialProblem(err)
		}
		s.callers.remember(proof.key, who)
	}
	c.Locals(localCaller{}, who)
	return who, nil
}

// proof is what a request brings to show who makes it: an API key, or a session of
// the pages.
type proof struct{ key, token string }

func proofOf(c *fiber.Ctx) proof {
	if key := bearer(c); key != "" {
		return proof{key: key}
	}
	return proof{token: c.Cookies(login.Cookie)}
}

func (s *Service) identifyCaller(ctx context.Context, p proof) (who caller, err error) {
	switch {
	case p.key != "":
		who.user, who.scopes, err = s.accounts.Authenticate(ctx, p.key)
	case p.token != "":
		// Who is logged in by the pages may do all that a key can.
		who.scopes = []string{account.ScopeRead, account.ScopeWrite}
		who.user, err = s.accounts.Session(ctx, p.token)
	default:
		err = unauthenticated()
	}
	return who, err
}

// listener lets the caller follow events for as long as the key or session is good.
func (s *Service) listener(c *fiber.Ctx, user jobstore.User) httpserver.Listener {
	p := proofOf(c)
	return httpserver.Listener{Account: user.ID, Valid: func(ctx context.Context) bool {
		_, err := s.identifyCaller(ctx, p)
		return !account.Ended(err)
	}}
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
