package imagestore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// ErrOwnBucket means that somebody named the product's own bucket as theirs.
var ErrOwnBucket = errors.New("the bucket is the product's own")

// foreignPage is how many keys ListForeign gives at once, S3's own limit.
const foreignPage = 1000

// GetForeign gives the bytes of an object in a bucket of a client's, of at most
// maxBytes. Whether the client may name the bucket is for the caller to know; the
// product's own is always refused.
func (s *Store) GetForeign(ctx context.Context, bucket, key string, maxBytes int64) ([]byte, error) {
	if bucket == s.bucket {
		return nil, ErrOwnBucket
	}
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	object, err := s.client.GetObject(limited, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("getting s3://%s/%s: %w", bucket, key, classify(ctx, err))
	}
	defer func() { _ = object.Body.Close() }()
	data, err := readAtMost(object.Body, aws.ToInt64(object.ContentLength), maxBytes)
	if err != nil {
		return nil, fmt.Errorf("reading s3://%s/%s: %w", bucket, key, classify(ctx, err))
	}
	return data, nil
}

// ForeignObject is an entry of a client's bucket.
type ForeignObject struct {
	Key   string
	Bytes int64
}

// ListForeign gives the objects under a prefix in a bucket of a client's, in the
// order of their keys: those that follow the key after, a page at a time. An empty
// page is the end.
func (s *Store) ListForeign(ctx context.Context, bucket, prefix, after string) ([]ForeignObject, error) {
	if bucket == s.bucket {
		return nil, ErrOwnBucket
	}
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	in := &s3.ListObjectsV2Input{Bucket: &bucket, Prefix: &prefix, MaxKeys: aws.Int32(foreignPage)}
	if after != "" {
		in.StartAfter = &after
	}
	out, err := s.client.ListObjectsV2(limited, in)
	if err != nil {
		return nil, fmt.Errorf("listing s3://%s/%s: %w", bucket, prefix, classify(ctx, err))
	}
	page := make([]ForeignObject, len(out.Contents))
	for i, o := range out.Contents {
		page[i] = ForeignObject{Key: aws.ToString(o.Key), Bytes: aws.ToInt64(o.Size)}
	}
	return page, nil
}
