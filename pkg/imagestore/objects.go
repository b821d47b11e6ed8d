package imagestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
)

const deleteBatch = 1000 // S3's own limit

// Put stores an object whole, over any that has the key.
func (s *Store) Put(ctx context.Context, key, contentType string, data []byte) error {
	if err := checkKey(key); err != nil {
		return fmt.Errorf("putting an object: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	_, err := s.client.PutObject(limited, &s3.PutObjectInput{
		Bucket:      &s.bucket,
		Key:         &key,
		ContentType: &contentType,
		Body:        bytes.NewReader(data),
	})
	if err != nil {
		return fmt.Errorf("putting %s: %w", key, classify(ctx, err))
	}
	return nil
}

// Get gives the bytes of an object of at most maxBytes; a larger one is ErrTooLarge
// and is not read.
func (s *Store) Get(ctx context.Context, key string, maxBytes int64) ([]byte, error) {
	if err := checkKey(key); err != nil {
		return nil, fmt.Errorf("getting an object: %w", err)
	}
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	object, err := s.client.GetObject(limited, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key})
	if err != nil {
		return nil, fmt.Errorf("getting %s: %w", key, classify(ctx, err))
	}
	defer func() { _ = object.Body.Close() }()
	data, err := readAtMost(object.Body, aws.ToInt64(object.ContentLength), maxBytes)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", key, classify(ctx, err))
	}
	return data, nil
}

// readAtMost reads a body that is said to have length bytes.
func readAtMost(body io.Reader, length, maxBytes int64) ([]byte, error) {
	if length > maxBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrTooLarge, length)
	}
	data := bytes.NewBuffer(make([]byte, 0, length+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(body, maxBytes+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > maxBytes {
		return nil, fmt.Errorf("%w: over %d bytes", ErrTooLarge, maxBytes)
	}
	return data.Bytes(), nil
}

// Delete removes objects; those that do not exist are no error. After an error some
// of them may be gone: call it again.
func (s *Store) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return fmt.Errorf("deleting objects: %w", err)
		}
	}
	var errs []error
	for batch := range slices.Chunk(keys, deleteBatch) {
		errs = append(errs, s.deleteSome(ctx, batch))
	}
	return errors.Join(errs...)
}

func (s *Store) deleteSome(ctx context.Context, keys []string) error {
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	objects := make([]types.ObjectIdentifier, len(keys))
	for i, key := range keys {
		objects[i].Key = aws.String(key)
	}
	out, err := s.client.DeleteObjects(limited, &s3.DeleteObjectsInput{
		Bucket: &s.bucket,
		Delete: &types.Delete{Objects: objects, Quiet: aws.Bool(true)},
	})
	if err != nil {
		return fmt.Errorf("deleting %d objects: %w", len(keys), classify(ctx, err))
	}
	var errs []error
	for _, refused := range out.Errors {
		err := &smithy.GenericAPIError{Code: aws.ToString(refused.Code), Message: aws.ToString(refused.Message)}
		if classified := classify(ctx, err); !errors.Is(classified, ErrNotFound) {
			errs = append(errs, fmt.Errorf("deleting %s: %w", aws.ToString(refused.Key), classified))
		}
	}
	return errors.Join(errs...)
}
