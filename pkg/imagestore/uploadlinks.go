package imagestore

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// UploadLink is a link to which anybody who has it may PUT an object, with exactly
// these headers and, if Bytes was given, exactly that length.
type UploadLink struct {
	URL     string
	Headers map[string]string
}

// SignedUpload gives a link that lets its bearer store an object for d (1 s to 7
// days), at the public endpoint, over any that has the key. S3 refuses another content
// type, and another length if bytes is above zero; it knows no upper limit, so
// whoever reads the object must have one.
func (s *Store) SignedUpload(ctx context.Context, key, contentType string, bytes int64, d time.Duration) (UploadLink, error) {
	if err := checkKey(key); err != nil {
		return UploadLink{}, fmt.Errorf("signing an upload: %w", err)
	}
	if d < time.Second || d > longestLink {
		return UploadLink{}, fmt.Errorf("signing an upload to %s: it cannot last %s", key, d)
	}
	in := &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, ContentType: &contentType}
	if bytes > 0 {
		in.ContentLength = &bytes
	}
	limited, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	signed, err := s.links.PresignPutObject(limited, in, s3.WithPresignExpires(d),
		s3.WithPresignClientFromClientOptions(func(o *s3.Options) {
			// There is no body yet of which to sign a checksum.
			o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		}))
	if err != nil {
		return UploadLink{}, fmt.Errorf("signing an upload to %s: %w", key, classify(ctx, err))
	}
	link := UploadLink{URL: signed.URL, Headers: map[string]string{}}
	for name, values := range signed.SignedHeader {
		// The HTTP library of the client sends these by itself.
		if name = http.CanonicalHeaderKey(name); name != "Host" && name != "Content-Length" {
			link.Headers[name] = values[0]
		}
	}
	return link, nil
}
