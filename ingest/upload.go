package ingest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/photofile"
	"maskfleet/pkg/problem"
)

const (
	maxParts       = 32       // of one multipart body that means one photo
	maxFieldBytes  = 16 << 10 // of one text field
	formOverhead   = 64 << 10 // of a multipart body beside its file
	firstReadBytes = 256 << 10
)

// upload is a file as a person sent it, in memory. release must be called once its
// bytes are no longer needed.
type upload struct {
	data     []byte
	filename string // cleaned
	metadata map[string]string
	release  func()
}

// form is a multipart body that means one photo.
type form struct {
	file   *upload
	fields map[string]string
}

// release lets go of the file's bytes; a second time it does nothing.
func (f *form) release() {
	if f.file != nil {
		f.file.release()
		f.file = nil
	}
}

// readForm reads a multipart body with exactly one file, in the field "file", and
// text fields. Admission is decided first, before any byte of the body is read. The
// caller releases the form, also after an error.
func (s *Service) readForm(c *fiber.Ctx) (*form, error) {
	f := &form{fields: map[string]string{}}
	if err := s.admitBody(c, s.cfg.Photo.MaxBytes+formOverhead); err != nil {
		return f, err
	}
	err := s.eachPart(c, maxParts,
		func(field string, up *upload) error {
			if f.file != nil {
				up.release()
				return tooManyFiles()
			}
			f.file = up
			if field != "file" {
				return missingFile()
			}
			return nil
		},
		func(field, value string) error {
			if _, twice := f.fields[field]; twice {
				return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "A field was sent twice.").
					WithField(field, "must be sent once")
			}
			f.fields[field] = value
			return nil
		})
	if err != nil {
		return f, err
	}
	if f.file == nil {
		return f, missingFile()
	}
	return f, nil
}

// admitBody decides about a body before reading it: whether the door is open,
// whether there is a body, and whether one of its announced length may be held. For a
// request that may have been answered before the door is open: what it asks anew is
// admitted once that is known.
func (s *Service) admitBody(c *fiber.Ctx, limitBytes int64) error {
	length := int64(c.Request().Header.ContentLength())
	if length == 0 || (length < 0 && c.Context().RequestBodyStream() == nil) {
		return emptyBody("The request has no body; please send a photo.")
	}
	if length > limitBytes {
		return s.fileTooLarge()
	}
	a, err := attemptOf(c)
	if err != nil {
		return err
	}
	if a.known() {
		return s.admission.fitBytes(length)
	}
	return s.admission.admitBytes(length)
}

// eachPart hands on the parts of a multipart body in their order: files to onFile,
// which owns them from then on, and text fields to onField.
func (s *Service) eachPart(c *fiber.Ctx, limit int, onFile func(field string, up *upload) error, onField func(field, value string) error) error {
	parts, err := httpserver.MultipartReader(c)
	if err != nil {
		return err
	}
	for range limit {
		part, err := parts.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return unreadableBody(err)
		}
		if err := s.takePart(part, onFile, onField); err != nil {
			return err
		}
	}
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The request has too many fields.")
}

func (s *Service) takePart(part *multipart.Part, onFile func(string, *upload) error, onField func(string, string) error) error {
	field := part.FormName()
	name, isFile := partFileName(part)
	if !isFile && field != "file" {
		value, err := io.ReadAll(io.LimitReader(part, maxFieldBytes+1))
		if err != nil {
			return unreadableBody(err)
		}
		if len(value) > maxFieldBytes {
			return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "A field of the request is too long.").
				WithField(field, "is too long")
		}
		return onField(field, string(value))
	}
	clean, err := cleanName(name)
	if err != nil {
		return err
	}
	data, release, err := s.readBytes(s.admission.memory, part, s.cfg.Photo.MaxBytes)
	if err != nil {
		return err
	}
	return onFile(field, &upload{data: data, filename: clean, release: release})
}

// partFileName gives the name as it was sent. Part.FileName would hide a path in it.
func partFileName(part *multipart.Part) (string, bool) {
	_, params, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
	if err != nil {
		return "", false
	}
	name, isFile := params["filename"]
	return name, isFile
}

func cleanName(name string) (string, error) {
	clean, err := photofile.CleanName(name)
	if err != nil {
		_, why, _ := strings.Cut(err.Error(), ": ")
		return "", problem.New(http.StatusBadRequest, problem.CodeInvalidName, "The file's name cannot be used: "+why+".").
			WithField("file", why).WithCause(err)
	}
	return clean, nil
}

// readBytes reads at most limit bytes into memory that it takes from the budget as it
// grows, so that a slow client holds little more than it has sent.
func (s *Service) readBytes(budget memory, from io.Reader, limit int64) (data []byte, release func(), err error) {
	var held int64
	release = func() {
		budget.give(held)
		held = 0
	}
	defer func() {
		if err != nil {
			release()
			data, release = nil, nil
		}
	}()
	for {
		if int64(len(data)) == held {
			if held > limit {
				return data, release, s.fileTooLarge()
			}
			grown := min(max(2*held, firstReadBytes), limit+1)
			if !budget.take(grown - held) {
				return data, release, tooBusy()
			}
			held = grown
			data = append(make([]byte, 0, grown), data...)
		}
		n, err := from.Read(data[len(data):held])
		data = data[:len(data)+n]
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return data, release, unreadableBody(err)
		}
	}
	switch {
	case int64(len(data)) > limit:
		return data, release, s.fileTooLarge()
	case len(data) == 0:
		return data, release, emptyBody("The file is empty.")
	}
	return data, release, nil
}

func (s *Service) fileTooLarge() error {
	return problem.New(http.StatusRequestEntityTooLarge, problem.CodeFileTooLarge,
		fmt.Sprintf("The photo is larger than the limit of %d MB.", s.cfg.Photo.MaxBytes>>20)).WithField("file", "is too large")
}

func missingFile() error {
	return problem.New(http.StatusBadRequest, problem.CodeMissingField,
		"The request has no photo; please send one in the field “file”.").WithField("file", "is missing")
}

func tooManyFiles() error {
	return problem.New(http.StatusBadRequest, problem.CodeTooManyFiles,
		"Please send one photo at a time.").WithField("file", "must be one file")
}

func emptyBody(detail string) error {
	return problem.New(http.StatusBadRequest, problem.CodeEmptyBody, detail)
}

func unreadableBody(err error) error {
	if errors.Is(err, httpserver.ErrPartHeader) {
		return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
			"A part of the request has a header that is too long.").WithCause(err)
	}
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
		"The request's body is damaged or ended too early.").WithCause(err)
}
