package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

// selectPhotos reads whole rows, and what the database's clock says of them.
const selectPhotos = `
	SELECT id, owner_id, lane, batch_id, COALESCE(batch_line, 0), custom_id, run, source, link, filename, content_type, bytes, width, height, sha256, metadata,
		trace_parent, created_at,
		state, publication, fence, attempts, slot_deaths, confirmed_at IS NOT NULL, run_at <= UTC_TIMESTAMP(6),
		lease_until IS NOT NULL, COALESCE(lease_until <= UTC_TIMESTAMP(6), FALSE), deleted_at IS NOT NULL,
		dead_lettered_at IS NOT NULL, TIMESTAMPDIFF(MICROSECOND, UTC_TIMESTAMP(6), run_at),
		worker_id, run_at, claimed_at, lease_until, finished_at,
		original_key, annotated_key, thumbnail_key,
		model_name, model_version, queued_us, fetch_us, inference_us, total_us, failure_code, failure_cause
	FROM photos`

// storedPhoto is a photo as selectPhotos reads it; its faces come separately.
type storedPhoto struct {
	job.Photo
	dueIn time.Duration // until run_at; negative once it is due
}

// row is what *sql.Row and *sql.Rows share.
type row interface{ Scan(dest ...any) error }

func scanPhoto(from row) (storedPhoto, error) {
	var (
		p                               job.Photo
		dueIn                           micros
		model                           job.Model
		queued, fetch, inference, total micros
		failureCode, failureCause       sql.NullString
	)
	r := &p.Row
	err := from.Scan(&p.ID, &p.OwnerID, &p.Lane, idColumn{&p.BatchID}, &p.BatchLine, &p.CustomID, &p.Run, &p.Source, &p.Link, &p.Filename, &p.ContentType, &p.Bytes, &p.Width, &p.Height,
		&p.SHA256, mapColumn{&p.Metadata}, &p.TraceParent, &p.CreatedAt,
		&r.State, &r.Publication, &r.Fence, &r.Attempts, &r.SlotDeaths, &r.Confirmed, &r.Due,
		&r.Leased, &r.LeaseOver, &r.Deleted,
		&r.DeadLetter, &dueIn,
		&p.WorkerID, &p.RunAt, timeColumn{&p.ClaimedAt}, timeColumn{&p.LeaseOver}, timeColumn{&p.DoneAt},
		&p.OriginalKey, &p.AnnotatedKey, &p.ThumbnailKey,
		&model.Name, &model.Version, &queued, &fetch, &inference, &total, &failureCode, &failureCause)
	if errors.Is(err, sql.ErrNoRows) {
		return storedPhoto{}, ErrNotFound
	}
	if err != nil {
		return storedPhoto{}, err
	}
	if failureCode.Valid {
		p.Failure = &job.Failure{Code: job.Code(failureCode.String)}
		if r.State == job.StateFailed {
			p.Failure.Model = model
		}
		if failureCause.Valid {
			p.Failure.Cause = errors.New(failureCause.String)
		}
	}
	if r.State == job.StateSucceeded {
		timing := job.Timing{
			Queued: queued.duration(), Fetch: fetch.duration(), Inference: inference.duration(), Total: total.duration(),
		}
		p.Result = resultOf(p, model, timing)
	}
	return storedPhoto{Photo: p, dueIn: dueIn.duration()}, nil
}

func resultOf(p job.Photo, model job.Model, timing job.Timing) *job.Result {
	r := &job.Result{
		Model: model, Timing: timing, Width: p.Width, Height: p.Height,
		AnnotatedKey: p.AnnotatedKey, ThumbnailKey: p.ThumbnailKey,
	}
	if p.Source.Fetched() {
		r.OriginalKey, r.ContentType, r.Bytes, r.SHA256 = p.OriginalKey, p.ContentType, p.Bytes, p.SHA256
	}
	return r
}

// Find gives a photo with its result and faces, or its failure. One that is being
// deleted is ErrNotFound. Of a failure's SlotDeath only the row's count is kept.
func (s *Store) Find(ctx context.Context, id job.ID) (job.Photo, error) {
	stored, err := scanPhoto(s.db.QueryRowContext(ctx, selectPhotos+` WHERE id = ? AND deleted_at IS NULL`, id[:]))
	if err != nil {
		return job.Photo{}, fmt.Errorf("finding photo %s: %w", id, classify(err))
	}
	photos := []job.Photo{stored.Photo}
	if err := s.addFaces(ctx, photos); err != nil {
		return job.Photo{}, fmt.Errorf("finding photo %s: %w", id, err)
	}
	return photos[0], nil
}
