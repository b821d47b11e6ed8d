package ingest

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
)

// lineOverhead is how much a line may hold beside its photo in base64.
const lineOverhead = 64 << 10

// manifest is a batch of lines of JSON in S3. It holds one line at a time.
type manifest struct {
	images   *imagestore.Store
	batch    job.Batch
	maxPhoto int64
}

func (m *manifest) each(ctx context.Context, visit func(entry) error) error {
	body, _, err := m.images.Stream(ctx, m.batch.SourceKey)
	if errors.Is(err, imagestore.ErrNotFound) {
		return &job.BatchFailure{Code: job.BatchCodeSourceNotFound, Message: "What was submitted is no longer there. Please submit it again."}
	}
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	lines := newLines(body, int(4*(m.maxPhoto/3+1))+lineOverhead)
	for {
		line, text, err := lines.next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case errors.Is(err, errLineTooLong):
			return &job.BatchFailure{
				Code: job.BatchCodeInvalidManifest, Message: "A line of the batch is too long; nothing of it was looked at.",
				Lines: []job.LineFault{{Line: line, Code: job.BatchCodeInvalidManifest, Message: "the line is too long"}},
			}
		case err != nil:
			return err
		}
		n := entry{line: line, code: job.BatchCodeInvalidManifest}
		if n.item, n.fault = job.ParseItem(text, m.maxPhoto); n.item.Image.Base64 != "" {
			text := n.item.Image.Base64
			n.bytes = int64(len(text) + base64.StdEncoding.DecodedLen(len(text)))
			n.data = func() ([]byte, error) { return base64.StdEncoding.DecodeString(text) }
		}
		if err := visit(n); err != nil {
			return err
		}
	}
}

// errLineTooLong says that a line is longer than the longest that can be an item.
var errLineTooLong = errors.New("line is too long")

// lines reads lines that hold something, without keeping more than one.
type lines struct {
	in   *bufio.Reader
	most int
	line int
	text []byte
}

func newLines(from io.Reader, most int) *lines {
	return &lines{in: bufio.NewReaderSize(from, 64<<10), most: most}
}

// next gives the next line and its number, from 1; the text is good until the next
// call. The number counts also with errLineTooLong, after which there is no next.
func (l *lines) next() (number int, text []byte, err error) {
	for {
		l.line++
		l.text = l.text[:0]
		for {
			part, err := l.in.ReadSlice('\n')
			if len(l.text)+len(part) > l.most {
				return l.line, nil, errLineTooLong
			}
			l.text = append(l.text, part...)
			if err == nil {
				break
			}
			if errors.Is(err, io.EOF) {
				if len(l.text) == 0 {
					return l.line, nil, io.EOF
				}
				break
			}
			if !errors.Is(err, bufio.ErrBufferFull) {
				return l.line, nil, err
			}
		}
		text := l.text
		if l.line == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) // a byte order mark
		}
		if text = bytes.TrimSpace(text); len(text) > 0 {
			return l.line, text, nil
		}
	}
}

// listPrefix writes the objects under a batch's prefix as a manifest, unless an
// earlier try did: a list may differ the next time.
func (e *expander) listPrefix(ctx context.Context, b job.Batch) error {
	key := imagestore.ManifestKey(b)
	body, _, err := e.images.Stream(ctx, key)
	if err == nil {
		return body.Close()
	}
	if !errors.Is(err, imagestore.ErrNotFound) {
		return err
	}
	forbidden := &job.BatchFailure{Code: job.BatchCodeSourceForbidden, Message: "The account may not read photos from this prefix."}
	bucket, prefix, err := job.ParseS3URI(b.Prefix)
	if err != nil {
		return forbidden
	}
	allowed, err := e.store.S3Sources(ctx, b.OwnerID)
	if err != nil {
		return err
	}
	if !allowed.Allow(bucket, prefix) {
		return forbidden
	}
	reader, writer := io.Pipe()
	go func() { // ends with the listing, or when the reader is closed
		writer.CloseWithError(e.writeList(ctx, writer, bucket, prefix))
	}()
	_, err = e.images.PutStream(ctx, key, "application/x-ndjson", reader)
	_ = reader.CloseWithError(err) // so that the list ends, too
	switch {
	case errors.Is(err, imagestore.ErrOwnBucket), errors.Is(err, errListDenied):
		return forbidden
	case errors.Is(err, imagestore.ErrNoBucket):
		return &job.BatchFailure{Code: job.BatchCodeSourceNotFound, Message: "The bucket does not exist."}
	}
	return err
}

// errListDenied says that a client's bucket does not let us list it.
var errListDenied = errors.New("the bucket may not be listed")

// writeList follows the list to its end, or to the first object too many.
func (e *expander) writeList(ctx context.Context, to io.Writer, bucket, prefix string) error {
	out := json.NewEncoder(to)
	out.SetEscapeHTML(false)
	items := 0
	for after := ""; ; {
		page, err := e.images.ListForeign(ctx, bucket, prefix, after)
		if errors.Is(err, imagestore.ErrDenied) {
			return fmt.Errorf("%w: %w", errListDenied, err)
		}
		if err != nil || len(page) == 0 {
			return err
		}
		for _, object := range page {
			after = object.Key
			name := strings.TrimPrefix(object.Key, prefix)
			if name == "" || strings.HasSuffix(name, "/") { // the mark of a folder
				continue
			}
			item := job.Item{CustomID: strings.TrimPrefix(name, "/"), Image: job.ItemImage{S3URI: "s3://" + bucket + "/" + object.Key}}
			if err := out.Encode(item); err != nil {
				return err
			}
			if items++; items > e.limits.items {
				return nil // one too many, which the check finds
			}
		}
	}
}
