package imagestore

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// stallLimit is how long one read of a stream may wait.
const stallLimit = 20 * time.Second

// Stream gives the bytes of an object of any size as they come, and their number.
// It holds none of them; the caller must close it. It may take as long as its
// reader does, but S3 may not: a read that waits too long is ErrUnavailable.
func (s *Store) Stream(ctx context.Context, key string) (io.ReadCloser, int64, error) {
	if err := checkKey(key); err != nil {
		return nil, 0, fmt.Errorf("opening an object: %w", err)
	}
	reading, cancel := context.WithCancel(ctx)
	stalled := time.AfterFunc(stallLimit, cancel)
	object, err := s.client.GetObject(reading, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	stalled.Stop()
	if err != nil {
		cancel()
		if reading.Err() != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return nil, 0, fmt.Errorf("opening %s: %w", key, classify(ctx, err))
	}
	return &stream{ctx: ctx, key: key, body: object.Body, cancel: cancel}, aws.ToInt64(object.ContentLength), nil
}

// stream is a body whose reads are bounded in time.
type stream struct {
	ctx    context.Context // of the caller, to tell who gave up
	key    string
	body   io.ReadCloser
	cancel context.CancelFunc
}

func (r *stream) Read(p []byte) (int, error) {
	stalled := time.AfterFunc(stallLimit, r.cancel)
	n, err := r.body.Read(p)
	inTime := stalled.Stop()
	switch {
	case err == nil || err == io.EOF: //nolint:errorlint // the body gives this very value
		return n, err
	case !inTime && r.ctx.Err() == nil:
		return n, fmt.Errorf("reading %s: %w: %w", r.key, ErrUnavailable, err)
	default:
		return n, fmt.Errorf("reading %s: %w", r.key, classify(r.ctx, err))
	}
}

func (r *stream) Close() error {
	r.cancel()
	return r.body.Close()
}
