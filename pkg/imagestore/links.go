package imagestore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"mime"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const longestLink = 7 * 24 * time.Hour // S3's own limit

// Taking is what a browser does with what it gets.
type Taking string

// The ways to take it; the zero one is Inline.
const (
	Inline     Taking = "inline"     // it is shown
	Attachment Taking = "attachment" // it is saved
)

// Disposition says how a browser is to take what a signed link leads to.
type Disposition struct {
	Filename    string // for "save as"; empty: the browser's choice
	ContentType string // empty: as it was put
	Taking      Taking
}

// SignedURL gives a link that lets anybody who has it get the object for d (1 s to
// 7 days), at the public endpoint. It does not ask S3 whether the object exists.
func (s *Store) SignedURL(ctx context.Context, key string, d time.Duration, as Disposition) (string, error) {
	if err := checkKey(key); err != nil {
		return "", fmt.Errorf("signing a link: %w", err)
	}
	if d < time.Second || d > longestLink {
		return "", fmt.Errorf("signing a link to %s: it cannot last %s", key, d)
	}
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key}
	if as.ContentType != "" {
		in.ResponseContentType = &as.ContentType
	}
	shown, err := as.header()
	if err != nil {
		return "", fmt.Errorf("signing a link to %s: %w", key, err)
	}
	in.ResponseContentDisposition = &shown
	// Signing is done here; only a role's credentials may have to be fetched.
	limited, cancel := context.WithTimeout(ctx, pingLimit)
	defer cancel()
	signed, err := s.links.PresignGetObject(limited, in, s3.WithPresignExpires(d))
	if err != nil {
		return "", fmt.Errorf("signing a link to %s: %w", key, classify(ctx, err))
	}
	return signed.URL, nil
}

// header is the Content-Disposition: how it is taken, and the name to save it under.
func (d Disposition) header() (string, error) {
	params := map[string]string{}
	if d.Filename != "" {
		params["filename"] = d.Filename
	}
	header := mime.FormatMediaType(string(cmp.Or(d.Taking, Inline)), params)
	if header == "" {
		return "", errors.New("its file name cannot stand in a header")
	}
	return header, nil
}
