package ingest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"maskfleet/pkg/account"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webui/login"
)

// verificationsAtOnce bounds how far tries that are made at the same moment can get
// past the limit: each looks at it before the others have failed.
const verificationsAtOnce = 16

// verifier checks passwords that come with a photo. Only failed tries count against
// the limits, so that a rig with the right password is never slowed down.
type verifier struct {
	accounts *account.Accounts
	tries    *login.Tries
	log      *slog.Logger
	places   chan struct{} // holds a token for each check being made
	waiting  *budget       // of the photos in memory whose sender is not known yet
}

// credentials are a username and password as somebody sent them.
type credentials struct {
	username, password string
	address            string // of the client
	waiting            int64  // bytes of the photo held meanwhile
}

// verify says whose the credentials are. It refuses with 429 where too many have
// failed, and with 503 where too many photos wait for it.
func (s *Service) verify(ctx context.Context, cr credentials) (jobstore.User, error) {
	ctx, cancel := context.WithTimeout(ctx, authenticateTimeout)
	defer cancel()
	v := s.verifier
	if !v.waiting.take(cr.waiting) {
		return jobstore.User{}, tooBusy()
	}
	defer v.waiting.give(cr.waiting)
	user, err := v.check(ctx, cr)
	if err != nil {
		return jobstore.User{}, credentialProblem(err)
	}
	return user, nil
}

func (v *verifier) check(ctx context.Context, cr credentials) (jobstore.User, error) {
	select {
	case v.places <- struct{}{}:
		defer func() { <-v.places }()
	case <-ctx.Done():
		return jobstore.User{}, fmt.Errorf("waiting to check a password: %w", ctx.Err())
	}
	try := v.tries.Of(cr.username, cr.address)
	if err := v.look(ctx, try); err != nil {
		return jobstore.User{}, err
	}
	user, err := v.accounts.Verify(ctx, cr.username, cr.password)
	if errors.Is(err, account.ErrWrongCredentials) {
		v.failed(ctx, try)
	}
	return user, err
}

// look lets everybody try while Redis is away: unlike the pages, the rigs' log-in
// needs no session and must not depend on it. What guessing then costs is the
// password's hash alone.
func (v *verifier) look(ctx context.Context, try *login.Try) error {
	err := try.Look(ctx)
	var refused *problem.Problem
	if err == nil || errors.As(err, &refused) {
		return err
	}
	v.log.WarnContext(ctx, "log-in limits not known", "err", err)
	return nil
}

// failed counts the try even if its sender no longer waits for the answer.
func (v *verifier) failed(ctx context.Context, try *login.Try) {
	ctx = context.WithoutCancel(ctx)
	if err := try.Failed(ctx); err != nil {
		v.log.WarnContext(ctx, "failed log-in not counted", "err", err)
	}
}
