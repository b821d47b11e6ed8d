package ingest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"mime"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
)

// resultFormat is a form in which the results of a batch are given.
type resultFormat string

const (
	formatNDJSON resultFormat = "ndjson"
	formatCSV    resultFormat = "csv"
)

// resultsPiece is about how much of a stream of results is made at once.
const resultsPiece = 32 << 10

// streamResults answers GET /v1/batches/{id}/results: the items that have ended, as
// they are read from MySQL.
func (s *Service) streamResults(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	format, err := oneOf(c, "format", []resultFormat{formatNDJSON, formatCSV})
	if err != nil {
		return err
	}
	b, err := s.batchOf(c, user)
	if err != nil {
		return err
	}
	name, kind := b.ID.String()+".ndjson", ndjson
	if format == formatCSV {
		name, kind = b.ID.String()+".csv", "text/csv; charset=utf-8"
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	c.Set(fiber.HeaderCacheControl, "private, no-store")
	c.Vary(fiber.HeaderAcceptEncoding)
	packed := acceptsGzip(c)
	if packed {
		c.Set(fiber.HeaderContentEncoding, "gzip")
	}
	return httpserver.Download(c, func(ctx context.Context) io.ReadCloser {
		return newResultStream(s.store.Results(ctx, b.ID), format, packed)
	})
}

func acceptsGzip(c *fiber.Ctx) bool {
	for coding := range strings.SplitSeq(c.Get(fiber.HeaderAcceptEncoding), ",") {
		name, params, _ := strings.Cut(coding, ";")
		if strings.EqualFold(strings.TrimSpace(name), "gzip") {
			return strings.ReplaceAll(params, " ", "") != "q=0"
		}
	}
	return false
}

// resultStream writes results while it is read: it never holds more than a piece.
type resultStream struct {
	next   func() (job.Photo, error, bool)
	stop   func()
	write  func(job.Photo) error
	finish func() error // of what is packed
	piece  bytes.Buffer
	ended  error // once nothing follows the piece
}

func newResultStream(results iter.Seq2[job.Photo, error], format resultFormat, packed bool) *resultStream {
	r := &resultStream{finish: func() error { return nil }}
	r.next, r.stop = iter.Pull2(results)
	var to io.Writer = &r.piece
	if packed {
		pack, _ := gzip.NewWriterLevel(&r.piece, gzip.BestSpeed) // the level is one that exists
		to, r.finish = pack, pack.Close
	}
	if format == formatCSV {
		r.write = newCSVResults(to).write
	} else {
		lines := json.NewEncoder(to)
		lines.SetEscapeHTML(false)
		r.write = func(p job.Photo) error { return lines.Encode(apiv1.NewDetection(p)) }
	}
	return r
}

func (r *resultStream) Read(into []byte) (int, error) {
	if r.piece.Len() == 0 && r.ended == nil {
		r.ended = r.fill()
	}
	if r.piece.Len() == 0 {
		return 0, r.ended
	}
	return r.piece.Read(into)
}

// fill makes the next piece; io.EOF says that it is the last.
func (r *resultStream) fill() error {
	for r.piece.Len() < resultsPiece {
		photo, err, more := r.next()
		if !more {
			if err := r.finish(); err != nil {
				return fmt.Errorf("packing results: %w", err)
			}
			return io.EOF
		}
		if err == nil {
			err = r.write(photo)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close ends the reading.
func (r *resultStream) Close() error {
	r.stop()
	return nil
}
