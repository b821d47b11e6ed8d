package ingest

import (
	"context"
	"errors"
	"mime"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
)

const ndjson = "application/x-ndjson"

// createBatch answers POST /v1/batches. The items are looked at later, by the
// expander: here the body goes to S3 as it comes, and then the row is committed.
func (s *Service) createBatch(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	b, err := s.submittedBatch(c, user)
	if err != nil {
		return err
	}
	c.Location(batchPath(b.ID))
	return s.sendBatch(c, http.StatusAccepted, b)
}

// submittedBatch accepts the batch of a request, whichever way it comes.
func (s *Service) submittedBatch(c *fiber.Ctx, user jobstore.User) (batchView, error) {
	take, err := s.batchTaker(c)
	if err != nil {
		return batchView{}, err
	}
	a, err := attemptOf(c)
	if err != nil {
		return batchView{}, err
	}
	if !a.known() { // or it may have been accepted already
		if err := s.admitBatch(httpserver.Context(c), user); err != nil {
			return batchView{}, err
		}
	}
	if !hasBody(c) {
		return batchView{}, emptyBody("The request has no body; please send a batch.")
	}
	endBody, err := s.quotas.beginBody(user.ID)
	if err != nil {
		return batchView{}, err
	}
	defer endBody()
	b := job.Batch{
		Announced: s.cfg.Batch.MaxItems, // unless its taker knows better
		ID:        a.id, OwnerID: user.ID, TraceParent: telemetry.TraceParent(httpserver.Context(c)),
		CreatedAt: a.madeAt(), Window: s.cfg.Batch.Window,
	}
	if err := take(c, a, &b); err != nil {
		return batchView{}, err
	}
	// A body may have taken longer than the deadline of the request.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(httpserver.Context(c)), findTimeout+promiseTimeout)
	defer cancel()
	if a.again {
		if made, err := s.findBatch(ctx, user.ID, b.ID); err == nil || problem.From(err).Status != http.StatusNotFound {
			return made, err
		}
	}
	if a.known() {
		if err := s.admitBatch(ctx, user); err != nil {
			return batchView{}, err
		}
	}
	return s.promiseBatch(ctx, b)
}

// admitBatch decides whether another batch of the account is taken in.
func (s *Service) admitBatch(ctx context.Context, user jobstore.User) error {
	if err := s.admission.admitBatch(); err != nil {
		return err
	}
	return s.quotas.admitBatch(ctx, user.ID)
}

// batchTaker reads the body of a request into S3 and says in the batch what lies
// where.
// It has agreed on them.
type batchTaker func(*fiber.Ctx, *attempt, *job.Batch) error

// batchTaker chooses by the content type.
func (s *Service) batchTaker(c *fiber.Ctx) (batchTaker, error) {
	kind, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err == nil {
		switch kind {
		case fiber.MIMEApplicationJSON:
			return s.takeBatchJSON, nil
		case ndjson:
			return s.takeManifest, nil
		case "application/zip", "application/x-zip-compressed", "application/x-tar", "application/gzip", "application/x-gzip":
			return s.takeArchive, nil
		case fiber.MIMEMultipartForm:
			return s.takeFiles(params["boundary"]), nil
		}
	}
	return nil, problem.New(http.StatusUnsupportedMediaType, problem.CodeUnsupportedFormat,
		"A batch is JSON, a manifest (application/x-ndjson), a zip or tar archive, or multipart/form-data with files.").WithCause(err)
}

func hasBody(c *fiber.Ctx) bool {
	length := c.Request().Header.ContentLength()
	return length > 0 || (length < 0 && c.Context().RequestBodyStream() != nil)
}

// promiseBatch commits the row. As with a photo, an error may leave the object
// behind, and if MySQL did not answer whether the row stands, the row.
func (s *Service) promiseBatch(ctx context.Context, b job.Batch) (batchView, error) {
	inserting, cancel := context.WithTimeout(ctx, promiseTimeout)
	defer cancel()
	err := s.store.CreateBatch(inserting, b)
	if err != nil && !s.batchStandsAfter(ctx, err, b) {
		return batchView{}, storeProblem("promising a batch", err)
	}
	s.tel.Log.InfoContext(ctx, "batch accepted", "batch_id", b.ID, "user_id", b.OwnerID, "source", b.Source)
	view, err := s.findBatch(ctx, b.OwnerID, b.ID)
	if err != nil { // it is promised: the answer is 202, whatever goes wrong now
		b.State, b.Run, b.ExpiresAt = job.BatchValidating, 1, b.CreatedAt.Add(b.Window)
		view = batchView{Batch: b}
	}
	return view, nil
}

// batchStandsAfter looks whether the insert took effect although its answer was lost.
func (s *Service) batchStandsAfter(ctx context.Context, err error, b job.Batch) bool {
	if !errors.Is(err, jobstore.ErrUnavailable) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), doubtTimeout)
	defer cancel()
	if _, lookErr := s.store.FindBatch(ctx, b.ID); lookErr != nil {
		return false
	}
	s.tel.Log.WarnContext(ctx, "batch accepted although the answer was lost", "batch_id", b.ID, "err", err)
	return true
}

// takeManifest streams lines of JSON to S3.
func (s *Service) takeManifest(c *fiber.Ctx, a *attempt, b *job.Batch) error {
	b.Source, b.SourceKey = job.BatchFromManifest, imagestore.ManifestKey(*b)
	ctx, body, done, err := s.longBody(c, s.cfg.Batch.MaxManifestBytes)
	if err != nil {
		return err
	}
	defer done()
	lines := &lineCounter{limited: limited{from: body, left: s.cfg.Batch.MaxManifestBytes}, most: s.cfg.Batch.MaxItems}
	return s.storeSource(ctx, a, source{key: b.SourceKey, contentType: ndjson, from: lines, check: func() error {
		if b.Announced = lines.lines; lines.lines == 0 {
			return emptyBody("The manifest has no lines.")
		}
		return nil
	}})
}
