package ingest

import (
	"archive/tar"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

// takeArchive streams a zip or tar to S3 as it is; by its content the expander tells
// which.
func (s *Service) takeArchive(c *fiber.Ctx, a *attempt, b *job.Batch) error {
	b.Source, b.SourceKey = job.BatchFromArchive, imagestore.ArchiveKey(*b)
	ctx, body, done, err := s.longBody(c, s.cfg.Batch.MaxArchiveBytes)
	if err != nil {
		return err
	}
	defer done()
	from := &limited{from: body, left: s.cfg.Batch.MaxArchiveBytes}
	return s.storeSource(ctx, a, source{key: b.SourceKey, contentType: fiber.MIMEOctetStream, from: from, check: func() error {
		if from.left == s.cfg.Batch.MaxArchiveBytes {
			return emptyBody("The archive is empty.")
		}
		return nil
	}})
}

// takeFiles keeps the files of a multipart body as an archive, so that the expander
// knows one form only.
func (s *Service) takeFiles(boundary string) batchTaker {
	return func(c *fiber.Ctx, a *attempt, b *job.Batch) error {
		if boundary == "" {
			return problem.New(http.StatusBadRequest, problem.CodeNotMultipart, "The multipart/form-data body names no boundary.")
		}
		b.Source, b.SourceKey = job.BatchFromArchive, imagestore.ArchiveKey(*b)
		ctx, body, done, err := s.longBody(c, s.cfg.Batch.MaxArchiveBytes)
		if err != nil {
			return err
		}
		defer done()
		files := s.newFileArchive(httpserver.NewParts(&limited{from: body, left: s.cfg.Batch.MaxArchiveBytes}, boundary))
		defer files.release()
		return s.storeSource(ctx, a, source{key: b.SourceKey, contentType: "application/x-tar", from: files, check: func() error {
			if b.Announced = files.count; files.count == 0 {
				return missingFiles()
			}
			return nil
		}})
	}
}

// fileArchive is a tar of the files of a multipart body, made while it is read. It
// holds one file at a time, and is the same however the body was cut into parts.
type fileArchive struct {
	service *Service
	parts   *httpserver.Parts
	count   int
	piece   bytes.Buffer
	tar     *tar.Writer
	free    func() // gives back the memory of the piece
	ended   bool
}

func (s *Service) newFileArchive(parts *httpserver.Parts) *fileArchive {
	f := &fileArchive{service: s, parts: parts, free: func() {}}
	f.tar = tar.NewWriter(&f.piece)
	return f
}

func (f *fileArchive) release() {
	f.free()
	f.free = func() {}
}

func (f *fileArchive) Read(into []byte) (int, error) {
	for f.piece.Len() == 0 && !f.ended {
		f.release()
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	if f.piece.Len() == 0 {
		return 0, io.EOF
	}
	return f.piece.Read(into)
}

// next adds the next file to the piece, or the end of the archive.
func (f *fileArchive) next() error {
	part, err := f.parts.Next()
	if errors.Is(err, io.EOF) {
		f.ended = true
		return f.tar.Close()
	}
	if err != nil {
		return refusalOr(err, unreadableBody)
	}
	if f.count++; f.count > f.service.cfg.Batch.MaxItems {
		return tooManyItems(f.service.cfg.Batch.MaxItems)
	}
	name, isFile := partFileName(part)
	if !isFile || part.FormName() != "files" {
		return missingFiles()
	}
	if name, err = cleanName(name); err != nil {
		return err
	}
	data, release, err := f.service.readBytes(f.service.admission.ofBatch, part, f.service.cfg.Photo.MaxBytes)
	if err != nil {
		return refusalOr(err, unreadableBody)
	}
	defer release()
	return f.add(name, data)
}

// add needs the memory of the file a second time.
func (f *fileArchive) add(name string, data []byte) error {
	size := int64(len(data))
	if !f.service.admission.ofBatch.take(size) {
		return tooBusy()
	}
	f.free = func() { f.service.admission.ofBatch.give(size) }
	err := f.tar.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: name, Size: size, Mode: 0o600, Format: tar.FormatPAX})
	if err == nil {
		_, err = f.tar.Write(data)
	}
	if err == nil {
		err = f.tar.Flush()
	}
	if err != nil {
		return fmt.Errorf("keeping a file: %w", err)
	}
	return nil
}

// refusalOr finds our own refusal in the error of a reader that reads from ours.
func refusalOr(err error, otherwise func(error) error) error {
	var refused, cause *problem.Problem
	if errors.As(err, &refused) {
		if errors.As(refused.Cause, &cause) {
			return cause
		}
		return refused
	}
	return otherwise(err)
}

func missingFiles() error {
	return problem.New(http.StatusBadRequest, problem.CodeMissingField,
		"Please send the photos as files in the field “files”, each with its name.").WithField("files", "must be files")
}
