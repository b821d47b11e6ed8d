package ingest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/photofile"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/telemetry"
)

const (
	promiseTimeout = 10 * time.Second // of the MySQL insert
	doubtTimeout   = 2 * time.Second  // of the look whether it took effect
)

// acceptance is a photo on its way in.
type acceptance struct {
	user   jobstore.User
	upload upload // of an uploaded photo
	photo  job.Photo
	id     job.ID // zero: a new one
}

// step is one step of an acceptance. Until promise has returned, an error refuses
// the photo and nothing of it counts; the steps after it cannot fail.
type step struct {
	name string
	do   func(context.Context, *acceptance) error
}

// acceptUpload takes in a photo whose bytes are here: what it answers with nil is
// promised to reach a terminal state. The caller keeps and releases up.
func (s *Service) acceptUpload(ctx context.Context, user jobstore.User, up upload) (job.Photo, error) {
	return s.acceptUploadAs(ctx, job.ID{}, user, up)
}

func (s *Service) acceptUploadAs(ctx context.Context, id job.ID, user jobstore.User, up upload) (job.Photo, error) {
	a := &acceptance{id: id, user: user, upload: up, photo: job.Photo{
		Source: job.SourceUpload, Filename: up.filename, Bytes: int64(len(up.data)), Metadata: up.metadata,
	}}
	return s.accept(ctx, a, []step{
		{"admit", s.admit},
		{"inspect", s.inspect},
		{"identify", s.identify},
		{"store original", s.storeOriginal},
		{"promise", s.promise},
		{"hand over", s.handOver},
	})
}

// acceptLink takes in a photo that a worker will fetch from link.
func (s *Service) acceptLink(ctx context.Context, user jobstore.User, link string, metadata map[string]string) (job.Photo, error) {
	return s.acceptFetched(ctx, job.ID{}, user, job.Photo{Source: job.SourceLink, Link: link, Metadata: metadata})
}

// acceptFetched takes in a photo that a worker will fetch, from wherever.
func (s *Service) acceptFetched(ctx context.Context, id job.ID, user jobstore.User, photo job.Photo) (job.Photo, error) {
	a := &acceptance{id: id, user: user, photo: photo}
	return s.accept(ctx, a, []step{
		{"admit", s.admit},
		{"check link", s.checkLink},
		{"identify", s.identify},
		{"promise", s.promise},
		{"hand over", s.handOver},
		{"close upload", s.closeUpload},
	})
}

func (s *Service) accept(ctx context.Context, a *acceptance, steps []step) (job.Photo, error) {
	ctx, span := s.tel.Tracer.Start(ctx, "accept photo")
	a.photo.TraceParent = telemetry.TraceParent(ctx)
	for _, step := range steps {
		err := timed(ctx, s.tel.Tracer, s.metrics, step.name, func(ctx context.Context) error { return step.do(ctx, a) })
		if err != nil {
			telemetry.End(span, err)
			return job.Photo{}, err
		}
	}
	telemetry.End(span, nil)
	s.metrics.accepted.WithLabelValues(string(a.photo.Source)).Inc()
	s.tel.Log.InfoContext(ctx, "photo accepted", "photo_id", a.photo.ID, "user_id", a.user.ID,
		"source", a.photo.Source, "bytes", a.photo.Bytes)
	return a.photo, nil
}

func (s *Service) admit(ctx context.Context, a *acceptance) error {
	if err := s.admission.admit(); err != nil {
		return err
	}
	return s.quotas.admitPhoto(ctx, a.user.ID)
}

// inspect looks at the header of the file only; no pixel is decoded here.
func (s *Service) inspect(_ context.Context, a *acceptance) error {
	info, failure := photofile.Inspect(a.upload.data, s.cfg.Photo)
	if failure != nil {
		return s.refusedPhoto(failure)
	}
	a.photo.ContentType = info.ContentType
	a.photo.Width, a.photo.Height = info.Width, info.Height
	a.photo.SHA256 = info.SHA256
	return nil
}

// checkLink looks at the text of the link only; the worker that fetches it decides
// where it may lead, and what else an account may name.
func (s *Service) checkLink(_ context.Context, a *acceptance) error {
	if a.photo.Source != job.SourceLink {
		return nil
	}
	err := linkfetch.CheckLink(a.photo.Link)
	if err == nil {
		return nil
	}
	why := linkfetch.Why(err)
	return problem.New(http.StatusBadRequest, problem.CodeInvalidLink, "The link cannot be used: "+why+".").
		WithField("url", why).WithCause(err)
}

func (s *Service) identify(_ context.Context, a *acceptance) error {
	if a.photo.ID = a.id; a.id == (job.ID{}) {
		id, err := job.NewID()
		if err != nil {
			return fmt.Errorf("making a photo's identity: %w", err)
		}
		a.photo.ID = id
	}
	a.photo.OwnerID = a.user.ID
	a.photo.Lane = job.LaneInteractive
	a.photo.CreatedAt = time.Now().UTC().Truncate(time.Microsecond)
	a.photo.Row = job.Accepted()
	return nil
}

func (s *Service) storeOriginal(ctx context.Context, a *acceptance) error {
	key := imagestore.OriginalKey(a.photo)
	if err := s.images.Put(ctx, key, a.photo.ContentType, a.upload.data); err != nil {
		return storeProblem("storing an original", err)
	}
	a.photo.OriginalKey = key
	return nil
}

// promise commits the row. An error may leave the original behind, and, if MySQL did
// not even answer whether the row stands, the row: then the photo is processed
// although its sender was told to try again. The other way round never happens.
func (s *Service) promise(ctx context.Context, a *acceptance) error {
	inserting, cancel := context.WithTimeout(ctx, promiseTimeout)
	defer cancel()
	err := s.store.Accept(inserting, a.photo)
	if err != nil && !s.standsAfter(ctx, err, a.photo.ID) {
		return storeProblem("promising a photo", err)
	}
	return nil
}

// standsAfter says whether a photo was accepted although err came instead of the
// answer. Its identity is new, so the row can only be ours.
func (s *Service) standsAfter(ctx context.Context, err error, id job.ID) bool {
	if !errors.Is(err, jobstore.ErrUnavailable) {
		return false
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), doubtTimeout)
	defer cancel()
	if _, lookErr := s.store.Find(ctx, id); lookErr != nil {
		return false
	}
	s.tel.Log.WarnContext(ctx, "photo accepted although the answer was lost", "photo_id", id, "err", err)
	return true
}

// handOver begins the photo's timeline and gives it to the broker at once. If that
// does not work, the publisher does it later; the sender need not know.
func (s *Service) handOver(ctx context.Context, a *acceptance) error {
	s.queue.Announce(ctx, a.photo.ID, jobqueue.StageAccepted, struct {
		Source job.Source `json:"source"`
		Bytes  int64      `json:"bytes"` // 0 of a link
	}{a.photo.Source, a.photo.Bytes})
	s.publisher.handOver(ctx, a.photo)
	return nil
}

// closeUpload gives the account its place for another upload link. If that does not
// work, it has it once the link expires.
func (s *Service) closeUpload(ctx context.Context, a *acceptance) error {
	if err := s.store.UseUploads(ctx, a.photo); err != nil {
		s.tel.Log.WarnContext(ctx, "upload not closed", "photo_id", a.photo.ID, "err", err)
	}
	return nil
}

// refusedPhoto is the answer to a file that is not a photo we take.
func (s *Service) refusedPhoto(f *job.Failure) error {
	l := s.cfg.Photo
	refuse := func(status int, code, detail string) error {
		return problem.New(status, code, detail).WithField("file", f.Message()).WithCause(f)
	}
	switch f.Code {
	case job.CodeUnsupportedFormat:
		return refuse(http.StatusUnsupportedMediaType, problem.CodeUnsupportedFormat,
			"The file is not a JPEG, PNG, WebP or BMP photo. Its content decides, not its name.")
	case job.CodeImageTooLarge:
		return refuse(http.StatusRequestEntityTooLarge, problem.CodeImageTooLarge,
			fmt.Sprintf("The photo has too many pixels: at most %d a side and %d million in all are taken.", l.MaxSide, l.MaxPixels/1_000_000))
	case job.CodeImageTooSmall:
		return refuse(http.StatusUnprocessableEntity, problem.CodeImageTooSmall,
			fmt.Sprintf("The photo is too small: each side must have at least %d pixels.", l.MinSide))
	default:
		return refuse(http.StatusUnprocessableEntity, problem.CodeDecodeFailed, "The photo is damaged and cannot be opened.")
	}
}
