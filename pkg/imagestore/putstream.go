package imagestore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// PartBytes is what PutStream holds in memory; S3 takes no smaller parts than 5 MiB
// and no more than 10,000 of them.
const PartBytes = 8 << 20

// PutStream stores all that from gives as one object, over any that has the key, and
// gives its length. It may take as long as from does. An error of from is returned as
// it is within the error, and then no object was stored or changed.
func (s *Store) PutStream(ctx context.Context, key, contentType string, from io.Reader) (int64, error) {
	if err := checkKey(key); err != nil {
		return 0, fmt.Errorf("putting an object: %w", err)
	}
	part := make([]byte, PartBytes)
	n, last, err := fill(part, from)
	if err != nil {
		return 0, fmt.Errorf("reading what becomes %s: %w", key, err)
	}
	if last {
		return int64(n), s.Put(ctx, key, contentType, part[:n])
	}
	upload, err := s.client.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{
		Bucket: &s.bucket, Key: &key, ContentType: &contentType, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return 0, fmt.Errorf("putting %s: %w", key, classify(ctx, err))
	}
	u := multipartUpload{store: s, key: key, id: aws.ToString(upload.UploadId)}
	total, err := u.send(ctx, part, n, from)
	if err != nil {
		u.abort(ctx)
		return 0, err
	}
	return total, nil
}

// fill reads until part is full or from has ended. (io.ReadFull would not tell a body
// that was cut off from one that ended.)
func fill(part []byte, from io.Reader) (n int, last bool, err error) {
	for n < len(part) {
		read, err := from.Read(part[n:])
		n += read
		if errors.Is(err, io.EOF) {
			return n, true, nil
		}
		if err != nil {
			return n, false, err
		}
	}
	return n, false, nil
}

// multipartUpload is an object on its way in parts.
type multipartUpload struct {
	store *Store
	key   string
	id    string
	done  []types.CompletedPart
}

// send puts the first n bytes of part, then all that follows, and completes.
func (u *multipartUpload) send(ctx context.Context, part []byte, n int, from io.Reader) (total int64, err error) {
	for last := false; ; {
		if n > 0 {
			if err := u.put(ctx, part[:n]); err != nil {
				return 0, err
			}
			total += int64(n)
		}
		if last {
			return total, u.complete(ctx)
		}
		if n, last, err = fill(part, from); err != nil {
			return 0, fmt.Errorf("reading what becomes %s: %w", u.key, err)
		}
	}
}

func (u *multipartUpload) put(ctx context.Context, part []byte) error {
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	number := aws.Int32(int32(len(u.done) + 1)) //nolint:gosec // at most 10,000
	out, err := u.store.client.UploadPart(limited, &s3.UploadPartInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id, PartNumber: number, Body: bytes.NewReader(part),
		ChecksumAlgorithm: types.ChecksumAlgorithmCrc32,
	})
	if err != nil {
		return fmt.Errorf("putting part %d of %s: %w", *number, u.key, classify(ctx, err))
	}
	u.done = append(u.done, types.CompletedPart{ETag: out.ETag, PartNumber: number, ChecksumCRC32: out.ChecksumCRC32})
	return nil
}

func (u *multipartUpload) complete(ctx context.Context) error {
	limited, cancel := context.WithTimeout(ctx, transferLimit)
	defer cancel()
	_, err := u.store.client.CompleteMultipartUpload(limited, &s3.CompleteMultipartUploadInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: u.done},
	})
	if err != nil {
		return fmt.Errorf("completing %s: %w", u.key, classify(ctx, err))
	}
	return nil
}

// abort gives the parts back. What a process leaves behind that dies before is for
// the bucket's own rule about unfinished uploads.
func (u *multipartUpload) abort(ctx context.Context) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingLimit)
	defer cancel()
	_, _ = u.store.client.AbortMultipartUpload(limited, &s3.AbortMultipartUploadInput{
		Bucket: &u.store.bucket, Key: &u.key, UploadId: &u.id,
	})
}
