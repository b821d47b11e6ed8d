package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// IdempotencyConfig says how requests are kept that their clients may repeat.
type IdempotencyConfig struct {
	// Keep is how long the answer to a request is given again.
	Keep time.Duration `env:"IDEMPOTENCY_KEEP" envDefault:"24h"`
	// Lock is how long a request whose door died is left alone.
	Lock time.Duration `env:"IDEMPOTENCY_LOCK" envDefault:"30s"`
}

// Validate checks the ranges.
func (c *IdempotencyConfig) Validate() error {
	return errors.Join(positive("IDEMPOTENCY_KEEP", c.Keep), positive("IDEMPOTENCY_LOCK", c.Lock))
}

const (
	headerIdempotencyKey  = "Idempotency-Key"
	headerReplayed        = "Idempotent-Replayed"
	maxIdempotencyKey     = 255
	maxSmallBody          = 1 << 20
	idempotencySweep      = time.Hour
	idempotencySweepAtOne = 1000
)

// errReplay ends a handler whose request has been answered before: the answer is
// given again by the middleware.
var errReplay = errors.New("the request has been answered before")

var errLockLost = errors.New("another request of the same key went on")

// attempt is one try at a request that may be repeated. A handler asks it for the
// identity of what it makes, and before it makes it, agrees on what was asked.
type attempt struct {
	// id is that of what the request makes, the same at every try.
	id uuid.UUID
	// again says that an earlier try may have made it already.
	again bool

	service *Service
	key     *jobstore.RequestKey // nil: the client gave none
	lock    jobstore.RequestLock
	kept    jobstore.KeptRequest
	agreed  bool
	lost    context.Context //nolint:containedctx // ends, with errLockLost, when the lock is lost
}

// localAttempt is the key of the attempt in what a request carries.
type localAttempt struct{}

// attemptOf is the attempt that repeatable began.
func attemptOf(c *fiber.Ctx) (*attempt, error) {
	if a, ok := c.Locals(localAttempt{}).(*attempt); ok {
		return a, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("making an identity: %w", err)
	}
	a := &attempt{id: id}
	c.Locals(localAttempt{}, a)
	return a, nil
}

// known says that what was asked is known from an earlier try, which had all of the
// body.
func (a *attempt) known() bool { return a.kept.Fingerprint != nil }

// madeAt is when id was made: the same at every try.
func (a *attempt) madeAt() time.Time {
	seconds, nanoseconds := a.id.Time().UnixTime()
	return time.Unix(seconds, nanoseconds).UTC().Truncate(time.Millisecond)
}

// agree must be called with the fingerprint of what is asked before anything of it is
// done. It gives errReplay if it has been answered already.
func (a *attempt) agree(ctx context.Context, fingerprint [32]byte) error {
	if a.key == nil {
		return nil
	}
	if a.known() && !bytes.Equal(a.kept.Fingerprint, fingerprint[:]) {
		return problem.New(http.StatusUnprocessableEntity, problem.CodeIdempotencyMismatch,
			"This Idempotency-Key was used for another request. Please use a new key for each.").
			WithField(headerIdempotencyKey, "was used for another request")
	}
	if a.kept.Answer != nil {
		return errReplay
	}
	held, err := a.service.store.AgreeOnRequest(ctx, *a.key, a.lock, fingerprint)
	if err != nil {
		return storeProblem("agreeing on a request", err)
	}
	if !held {
		return requestRunning().WithCause(errLockLost)
	}
	a.agreed = true
	return nil
}

// fingerprintOf is the digest of what was asked, in a form that does not depend on
// how it was written.
func fingerprintOf(asked any) ([32]byte, error) {
	text, err := json.Marshal(asked)
	if err != nil {
		return [32]byte{}, fmt.Errorf("taking the fingerprint of a request: %w", err)
	}
	return sha256.Sum256(text), nil
}

// repeatable lets a client repeat a POST without its being done twice, if it gives an
// Idempotency-Key. The handler must call agree.
func (s *Service) repeatable(c *fiber.Ctx) error {
	name := c.Get(headerIdempotencyKey)
	if name == "" {
		return c.Next()
	}
	if len(name) > maxIdempotencyKey || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' }) {
		return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
			fmt.Sprintf("An Idempotency-Key has 1 to %d letters, digits and signs of ASCII.", maxIdempotencyKey)).
			WithField(headerIdempotencyKey, "is not allowed")
	}
	a, err := s.begin(c, name)
	if err != nil {
		return err
	}
	if a.kept.Answer != nil {
		return s.replay(c, a)
	}
	release := a.hold(httpserver.Context(c))
	err = c.Next()
	release()
	s.conclude(c, a, err)
	return err
}

// begin finds or makes the row of the request.
func (s *Service) begin(c *fiber.Ctx, name string) (*attempt, error) {
	user, err := s.currentUser(c)
	if err != nil {
		return nil, err
	}
	a, err := attemptOf(c)
	if err != nil {
		return nil, err
	}
	a.service = s
	a.key = &jobstore.RequestKey{OwnerID: user.ID, Hash: sha256.Sum256([]byte(c.Method() + " " + c.Path() + "\n" + name))}
	if about, err := uuid.Parse(c.Params("id")); err == nil {
		a.key.About = about
	}
	a.lock = jobstore.RequestLock{Holder: a.id, For: s.cfg.Idempotency.Lock}
	ctx, cancel := context.WithTimeout(httpserver.Context(c), promiseTimeout)
	defer cancel()
	a.kept, err = s.store.BeginRequest(ctx, *a.key, a.id, a.lock, s.cfg.Idempotency.Keep)
	switch {
	case errors.Is(err, jobstore.ErrRequestRunning):
		return nil, requestRunning().WithCause(err)
	case err != nil:
		return nil, storeProblem("beginning a request", err)
	}
	a.id, a.again = a.kept.ID, a.kept.Again
	return a, nil
}

func requestRunning() *problem.Problem {
	return problem.New(http.StatusConflict, problem.CodeIdempotencyInProgress,
		"A request with this Idempotency-Key is being answered. Please ask again in a moment.").WithRetryAfter(time.Second)
}

// hold prolongs the lock until release is called.
func (a *attempt) hold(ctx context.Context) (release func()) {
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	lost, lose := context.WithCancelCause(context.Background())
	a.lost = lost
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(a.lock.For / 3)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			kept, err := a.service.store.KeepRequest(ctx, *a.key, a.lock)
			if err == nil && !kept {
				lose(errLockLost)
				return
			}
		}
	}()
	return func() {
		stop()
		<-done
		lose(nil)
	}
}

// guard gives a context for work that must end when the lock is lost.
func (a *attempt) guard(ctx context.Context) (context.Context, func()) {
	if a.lost == nil {
		return ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	unhook := context.AfterFunc(a.lost, func() { cancel(context.Cause(a.lost)) })
	return ctx, func() {
		unhook()
		cancel(nil)
	}
}

// replay has the handler look whether the same is asked, and gives the answer of the
// first time.
func (s *Service) replay(c *fiber.Ctx, a *attempt) error {
	err := c.Next()
	if !errors.Is(err, errReplay) {
		if err == nil {
			err = errors.New("a handler did not agree on what was asked")
		}
		return err
	}
	for name, value := range a.kept.Answer.Header {
		c.Set(name, value)
	}
	c.Set(headerReplayed, "true")
	return c.Status(a.kept.Answer.Status).Send(a.kept.Answer.Body)
}

// conclude keeps the answer, or lets the next try go on: an answer that says "not
// now", or one that was given before it was known what is asked, is no answer.
func (s *Service) conclude(c *fiber.Ctx, a *attempt, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(httpserver.Context(c)), doubtTimeout)
	defer cancel()
	answer, final := answerOf(c, err)
	var storing error
	if final && a.agreed {
		_, storing = s.store.AnswerRequest(ctx, *a.key, a.lock, answer)
	} else {
		_, storing = s.store.LeaveRequest(ctx, *a.key, a.lock)
	}
	if storing != nil { // the lock ends by itself, and the next try finds what was made
		s.tel.Log.WarnContext(ctx, "answer not kept", "err", storing)
	}
}

// keptHeaders are those of an answer that belong to it and not to its transport.
func keptHeaders() []string {
	return []string{fiber.HeaderContentType, fiber.HeaderLocation, fiber.HeaderRetryAfter, "Preference-Applied"}
}

// answerOf is what the handler answered, and whether it is final.
func answerOf(c *fiber.Ctx, err error) (jobstore.KeptAnswer, bool) {
	if err == nil {
		response := c.Response()
		answer := jobstore.KeptAnswer{Status: response.StatusCode(), Header: map[string]string{}, Body: bytes.Clone(response.Body())}
		for _, name := range keptHeaders() {
			if value := c.GetRespHeader(name); value != "" {
				answer.Header[name] = value
			}
		}
		return answer, true
	}
	p := problem.From(err)
	if p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests {
		return jobstore.KeptAnswer{}, false
	}
	body, err := json.Marshal(p.Document(c.Path(), httpserver.RequestID(c)))
	return jobstore.KeptAnswer{
		Status: p.Status, Header: map[string]string{fiber.HeaderContentType: problem.ContentType}, Body: body,
	}, err == nil
}

// smallBody stands between repeatable and a handler that knows nothing of it: whose
// body is small JSON or none, and which does no harm if it does its work twice.
func (s *Service) smallBody(c *fiber.Ctx) error {
	a, err := attemptOf(c)
	if err != nil {
		return err
	}
	if a.key == nil {
		return c.Next()
	}
	body, err := httpserver.ReadBody(c, maxSmallBody)
	if err != nil {
		return err
	}
	if err := a.agree(httpserver.Context(c), fingerprintOfJSON(body)); err != nil {
		return err
	}
	c.Request().SetBody(body) // it was read: this is for the handler
	c.Request().Header.SetContentLength(len(body))
	return c.Next()
}

// fingerprintOfJSON takes no notice of spaces and the order of members. What is no
// JSON is taken as it is.
func fingerprintOfJSON(body []byte) [32]byte {
	var asked any
	in := json.NewDecoder(bytes.NewReader(body))
	in.UseNumber()
	if in.Decode(&asked) == nil && !in.More() {
		if fingerprint, err := fingerprintOf(asked); err == nil {
			return fingerprint
		}
	}
	return sha256.Sum256(bytes.TrimSpace(body))
}

// sweepOld forgets old requests, and upload links that are expired, until ctx ends.
func (s *Service) sweepOld(ctx context.Context) error {
	tick := time.NewTicker(idempotencySweep)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		s.sweep(ctx, "requests", func() (int, error) {
			return s.store.SweepRequests(ctx, s.cfg.Idempotency.Keep, idempotencySweepAtOne)
		})
		s.sweep(ctx, "uploads", func() (int, error) { return s.store.SweepUploads(ctx, idempotencySweepAtOne) })
	}
}

// sweep forgets until fewer are left than are forgotten at a time.
func (s *Service) sweep(ctx context.Context, what string, some func() (int, error)) {
	for n := idempotencySweepAtOne; n == idempotencySweepAtOne && ctx.Err() == nil; {
		var err error
		if n, err = some(); err != nil {
			s.tel.Log.WarnContext(ctx, "old rows not forgotten", "what", what, "err", err)
			return
		}
	}
}
