package inferenceworker

import (
	"context"
	"errors"
	"fmt"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/photofile"
)

// fetchOriginal gets the photo's bytes from where it says. What nobody of ours has
// looked at yet is inspected here, as the door inspects an upload; what was fetched
// from elsewhere is stored as the original and then treated as any photo.
func (w *Worker) fetchOriginal(ctx context.Context, t *task) error {
	began := time.Now()
	ctx, cancel := context.WithDeadline(ctx, w.deadline(t))
	defer cancel()
	var err error
	if t.original, err = w.read(ctx, t.photo); err == nil {
		err = w.takeIn(ctx, t)
	}
	t.result.Timing.Fetch = time.Since(began)
	return err
}

func (w *Worker) read(ctx context.Context, p job.Photo) ([]byte, error) {
	switch p.Source {
	case job.SourceLink:
		data, failure := w.fetch.Fetch(ctx, p.Link)
		if failure != nil {
			return nil, failure
		}
		return data, nil
	case job.SourceS3:
		return w.readForeign(ctx, p)
	case job.SourceSigned:
		upload, err := job.ParseUploadID(p.Link)
		if err != nil {
			return nil, fmt.Errorf("reading the link of %s: %w", p.ID, err)
		}
		return w.readOurs(ctx, imagestore.UploadKey(p.OwnerID, upload))
	default:
		return w.readOurs(ctx, p.OriginalKey)
	}
}

func (w *Worker) readOurs(ctx context.Context, key string) ([]byte, error) {
	data, err := w.images.Get(ctx, key, w.cfg.Limits.MaxBytes)
	return data, failureOf(err)
}

// readForeign reads from a bucket of the client's, if the account may name it now:
// what it was allowed at the submission may have been taken back.
func (w *Worker) readForeign(ctx context.Context, p job.Photo) ([]byte, error) {
	bucket, key, err := job.ParseS3URI(p.Link)
	if err != nil {
		return nil, job.Fail(job.CodeFetchForbidden, err)
	}
	sources, err := w.store.S3Sources(ctx, p.OwnerID)
	if err != nil {
		return nil, err
	}
	if !sources.Allow(bucket, key) {
		return nil, job.Fail(job.CodeFetchForbidden, fmt.Errorf("%s is not within the account's sources", p.Link))
	}
	data, err := w.images.GetForeign(ctx, bucket, key, w.cfg.Limits.MaxBytes)
	switch {
	case errors.Is(err, imagestore.ErrOwnBucket), errors.Is(err, imagestore.ErrDenied):
		return nil, job.Fail(job.CodeFetchForbidden, err)
	case errors.Is(err, imagestore.ErrNoBucket):
		return nil, job.Fail(job.CodeObjectNotFound, err)
	}
	return data, failureOf(err)
}

// failureOf makes what is the photo's own fault a failure of it.
func failureOf(err error) error {
	switch {
	case errors.Is(err, imagestore.ErrNotFound):
		return job.Fail(job.CodeObjectNotFound, err)
	case errors.Is(err, imagestore.ErrTooLarge):
		return job.Fail(job.CodeImageTooLarge, err)
	}
	return err
}

// takeIn inspects what came in unseen, and stores what is not in our hands yet.
func (w *Worker) takeIn(ctx context.Context, t *task) error {
	if t.photo.Source == job.SourceUpload {
		return nil // the door did it
	}
	info, failure := photofile.Inspect(t.original, w.cfg.Limits)
	if failure != nil {
		return failure
	}
	t.result.ContentType = info.ContentType
	t.result.Bytes = int64(len(t.original))
	t.result.SHA256 = info.SHA256
	if !t.photo.Source.Fetched() {
		return nil
	}
	t.result.OriginalKey = imagestore.ResultKey(t.photo, t.photo.Row.Fence, "original")
	return w.images.Put(ctx, t.result.OriginalKey, info.ContentType, t.original)
}
