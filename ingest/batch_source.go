package ingest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/problem"
)

// longBody is the body of a batch, unless its announced length is over the limit.
func (s *Service) longBody(c *fiber.Ctx, limit int64) (context.Context, io.Reader, func(), error) {
	if int64(c.Request().Header.ContentLength()) > limit {
		return nil, nil, nil, batchTooLarge()
	}
	return httpserver.LongBody(c)
}

// source is what a batch is made of, on its way to S3.
type source struct {
	key         string
	contentType string
	from        io.Reader
	check       func() error // once all of it was read; nil: nothing to check
	// fingerprint is that of what is asked; nil: the digest of what was read.
	fingerprint *[32]byte
}

// storeSource streams what a batch is made of to S3 and agrees on it. What it holds of
// it in memory counts against the budget of all uploads. If an earlier try has stored
// it, it is only read, to see that it is the same.
func (s *Service) storeSource(ctx context.Context, a *attempt, src source) error {
	if !s.admission.ofBatch.take(imagestore.PartBytes) {
		return tooBusy()
	}
	defer s.admission.ofBatch.give(imagestore.PartBytes)
	ctx, done := a.guard(ctx)
	defer done()
	digest := sha256.New()
	from := io.TeeReader(src.from, digest)
	var err error
	if a.known() {
		_, err = io.Copy(io.Discard, from)
	} else {
		_, err = s.images.PutStream(ctx, src.key, src.contentType, from)
	}
	var refused *problem.Problem
	if errors.As(err, &refused) { // by a reader of ours
		return refused
	}
	if err != nil {
		return storeProblem("storing a batch", err)
	}
	if src.check != nil {
		if err := src.check(); err != nil {
			return err
		}
	}
	if src.fingerprint != nil {
		return a.agree(ctx, *src.fingerprint)
	}
	return a.agree(ctx, [32]byte(digest.Sum(nil)))
}

// limited reads at most left bytes; more is refused, and so is a body that was cut
// off.
type limited struct {
	from io.Reader
	left int64
}

func (l *limited) Read(into []byte) (int, error) {
	n, err := l.from.Read(into)
	if l.left -= int64(n); l.left < 0 {
		return 0, batchTooLarge() // or a buffer before it would be read first
	}
	if err != nil && !errors.Is(err, io.EOF) {
		err = unreadableBody(err)
	}
	return n, err
}

func batchTooLarge() error {
	return problem.New(http.StatusRequestEntityTooLarge, problem.CodeFileTooLarge,
		"The batch is larger than the limit; please submit it in parts.")
}

func tooManyItems(most int) error {
	return problem.New(http.StatusRequestEntityTooLarge, problem.CodeTooManyItems,
		fmt.Sprintf("The batch has more than %d items; please submit it in parts.", most))
}

// lineCounter counts the lines that hold something, and refuses more than most.
type lineCounter struct {
	limited
	most  int
	lines int
	begun bool // this line is counted
}

func (l *lineCounter) Read(into []byte) (int, error) {
	n, err := l.limited.Read(into)
	l.count(into[:n])
	if l.lines > l.most && (err == nil || errors.Is(err, io.EOF)) {
		err = tooManyItems(l.most)
	}
	return n, err
}

func (l *lineCounter) count(text []byte) {
	for len(text) > 0 {
		line, rest, ended := bytes.Cut(text, []byte("\n"))
		if !l.begun && len(bytes.TrimSpace(line)) > 0 {
			l.begun = true
			l.lines++
		}
		if ended {
			l.begun = false
		}
		text = rest
	}
}
