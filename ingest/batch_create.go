package ingest

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"time"

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
	if err := s.admission.admit(); err != nil {
		return batchView{}, err
	}
	if !hasBody(c) {
		return batchView{}, emptyBody("The request has no body; please send a batch.")
	}
	b, err := s.newBatch(httpserver.Context(c), user)
	if err != nil {
		return batchView{}, err
	}
	if err := take(c, &b); err != nil {
		return batchView{}, err
	}
	return s.promiseBatch(httpserver.Context(c), b)
}

// batchTaker reads the body of a request into S3 and says in the batch what lies
// where.
type batchTaker func(*fiber.Ctx, *job.Batch) error

// batchTaker chooses by the content type.
func (s *Service) batchTaker(c *fiber.Ctx) (batchTaker, error) {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err == nil {
		switch kind {
		case fiber.MIMEApplicationJSON:
			return s.takeBatchJSON, nil
		case ndjson:
			return s.takeManifest, nil
		}
	}
	return nil, problem.New(http.StatusUnsupportedMediaType, problem.CodeUnsupportedFormat,
		"A batch is application/json or application/x-ndjson.").WithCause(err)
}

func hasBody(c *fiber.Ctx) bool {
	length := c.Request().Header.ContentLength()
	return length > 0 || (length < 0 && c.Context().RequestBodyStream() != nil)
}

func (s *Service) newBatch(ctx context.Context, user jobstore.User) (job.Batch, error) {
	id, err := job.NewBatchID()
	if err != nil {
		return job.Batch{}, fmt.Errorf("making a batch's identity: %w", err)
	}
	return job.Batch{
		ID: id, OwnerID: user.ID, TraceParent: telemetry.TraceParent(ctx),
		CreatedAt: time.Now().UTC().Truncate(time.Microsecond), Window: s.cfg.Batch.Window,
	}, nil
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
func (s *Service) takeManifest(c *fiber.Ctx, b *job.Batch) error {
	b.Source, b.SourceKey = job.BatchFromManifest, imagestore.ManifestKey(*b)
	ctx, body, done, err := s.longBody(c, s.cfg.Batch.MaxManifestBytes)
	if err != nil {
		return err
	}
	defer done()
	lines := &lineCounter{limited: limited{from: body, left: s.cfg.Batch.MaxManifestBytes}, most: s.cfg.Batch.MaxItems}
	if err := s.storeSource(ctx, b.SourceKey, ndjson, lines); err != nil {
		return err
	}
	if lines.lines == 0 {
		return emptyBody("The manifest has no lines.")
	}
	return nil
}
