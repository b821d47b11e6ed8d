package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

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

// Filter picks the photos of one owner; its other zero fields do not restrict.
type Filter struct {
	OwnerID  uuid.UUID // required: the zero id owns nothing
	Category job.Category
	State    job.State
	Lane     job.Lane
	From, To time.Time // made at or after, and before, to the millisecond
	Search   string    // part of the file's name or of the link
	Newest   job.ID    // nothing accepted after this one
	Before   job.ID    // the last photo of the page before this one
	Limit    int       // required for lists, at least 1
}

// List gives an owner's photos, the newest first, with their results and faces.
func (s *Store) List(ctx context.Context, f Filter) ([]job.Photo, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, selectPhotos+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	photos, err := collect(rows, err, scanPhoto)
	if err != nil {
		return nil, fmt.Errorf("listing photos of %s: %w", f.OwnerID, err)
	}
	list := make([]job.Photo, len(photos))
	for i, p := range photos {
		list[i] = p.Photo
	}
	if err := s.addFaces(ctx, list); err != nil {
		return nil, fmt.Errorf("listing photos of %s: %w", f.OwnerID, err)
	}
	return list, nil
}

func (f Filter) where() (string, []any) {
	where, args := ` WHERE owner_id = ? AND deleted_at IS NULL`, []any{f.OwnerID[:]}
	and := func(condition string, arg any) {
		where += ` AND ` + condition
		args = append(args, arg)
	}
	if f.Category != "" {
		and(`category = ?`, f.Category)
	}
	if f.State != "" {
		and(`state = ?`, f.State)
	}
	if f.Lane != "" {
		and(`lane = ?`, f.Lane)
	}
	// Ids begin with the time of their making: the index by id serves times too.
	if !f.From.IsZero() {
		and(`id >= ?`, firstID(f.From))
	}
	if !f.To.IsZero() {
		and(`id < ?`, firstID(f.To))
	}
	if f.Before != (job.ID{}) {
		and(`id < ?`, f.Before[:])
	}
	if f.Newest != (job.ID{}) {
		and(`id <= ?`, f.Newest[:])
	}
	if f.Search != "" {
		and(`(filename LIKE ? OR link LIKE ?)`, containing(f.Search))
		args = append(args, containing(f.Search))
	}
	return where, args
}

// firstID is the least id that can have been made at t.
func firstID(t time.Time) []byte {
	millis := max(t.UnixMilli(), 0)
	id := make([]byte, 16)
	for i := range 6 {
		id[i] = byte(millis >> (8 * (5 - i)))
	}
	return id
}
