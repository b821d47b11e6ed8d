package ingest

import (
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/photofile"
	"maskfleet/pkg/problem"
)

const (
	maxUploads    = 1000           // in one request
	uploadLinkFor = time.Hour      // that it can be put to
	uploadKeptFor = 24 * time.Hour // that the upload can be named
)

// uploadsRequest is the body of POST /v1/uploads.
type uploadsRequest struct {
	Files []uploadRequest `json:"files"`
}

type uploadRequest struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Bytes       *int64 `json:"bytes"` // required: S3 takes no other length
}

// uploadAnswer is a link to which one photo can be put.
type uploadAnswer struct {
	UploadID  uuid.UUID         `json:"upload_id"`
	Filename  string            `json:"filename"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers"`
	ExpiresAt apiv1.Moment      `json:"expires_at"`
	KeptUntil apiv1.Moment      `json:"kept_until"`
}

// createUploads answers POST /v1/uploads: links by which photos go to S3 past the
// door. What was put there is looked at by the worker that fetches it.
func (s *Service) createUploads(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	body, err := httpserver.ReadBody(c, maxSmallBody)
	if err != nil {
		return err
	}
	request, err := s.parseUploads(body)
	if err != nil {
		return err
	}
	if err := s.admission.admit(); err != nil {
		return err
	}
	ids := make([]uuid.UUID, len(request.Files))
	for i := range ids {
		if ids[i], err = uuid.NewV7(); err != nil {
			return fmt.Errorf("making an upload's identity: %w", err)
		}
	}
	if err := s.quotas.beginUploads(httpserver.Context(c), user.ID, ids); err != nil {
		return err
	}
	answer := listOf[uploadAnswer]{Data: make([]uploadAnswer, len(request.Files))}
	for i, file := range request.Files {
		if answer.Data[i], err = s.newUpload(c, user.ID, ids[i], file); err != nil {
			return err
		}
	}
	return c.Status(http.StatusCreated).JSON(answer)
}

func (s *Service) newUpload(c *fiber.Ctx, owner, id uuid.UUID, file uploadRequest) (uploadAnswer, error) {
	link, err := s.images.SignedUpload(httpserver.Context(c), imagestore.UploadKey(owner, id), file.ContentType, *file.Bytes, uploadLinkFor)
	if err != nil {
		return uploadAnswer{}, storeProblem("signing an upload", err)
	}
	now := time.Now()
	return uploadAnswer{
		UploadID: id, Filename: file.Filename, Method: http.MethodPut, URL: link.URL, Headers: link.Headers,
		ExpiresAt: apiv1.Moment(now.Add(uploadLinkFor)), KeptUntil: apiv1.Moment(now.Add(uploadKeptFor)),
	}, nil
}

// parseUploads reads the request; files without a content type get one that says
// nothing.
func (s *Service) parseUploads(body []byte) (uploadsRequest, error) {
	var request uploadsRequest
	if err := readJSON(body, &request); err != nil {
		return request, err
	}
	switch {
	case len(request.Files) == 0:
		return request, problem.New(http.StatusBadRequest, problem.CodeMissingField, "The request must name at least one file.").
			WithField("files", "is missing or empty")
	case len(request.Files) > maxUploads:
		return request, tooManyItems(maxUploads)
	}
	for i := range request.Files {
		if err := request.Files[i].check(s.cfg.Photo.MaxBytes); err != nil {
			p := problem.From(err)
			return request, problem.New(p.Status, p.Code, p.Detail).WithField(fmt.Sprintf("files[%d]", i), p.Errors[0].Message)
		}
	}
	return request, nil
}

func (f *uploadRequest) check(maxBytes int64) error {
	if f.Filename != "" {
		clean, err := photofile.CleanName(f.Filename)
		if err != nil {
			return problem.New(http.StatusBadRequest, problem.CodeInvalidName, "A file's name cannot be used.").
				WithField("filename", "cannot be used").WithCause(err)
		}
		f.Filename = clean
	}
	if f.Bytes == nil {
		return problem.New(http.StatusBadRequest, problem.CodeMissingField, "A file needs its length in bytes.").WithField("bytes", "is missing")
	}
	if *f.Bytes < 1 {
		return problem.New(http.StatusBadRequest, problem.CodeEmptyBody, "A file is empty.").WithField("bytes", "must be above zero")
	}
	if *f.Bytes > maxBytes {
		return problem.New(http.StatusRequestEntityTooLarge, problem.CodeFileTooLarge,
			fmt.Sprintf("A photo is larger than the limit of %d MB.", maxBytes>>20)).WithField("bytes", "is too large")
	}
	if f.ContentType == "" {
		f.ContentType = fiber.MIMEOctetStream
	}
	kind, params, err := mime.ParseMediaType(f.ContentType)
	if err != nil || len(params) > 0 || (kind != fiber.MIMEOctetStream && !strings.HasPrefix(kind, "image/")) {
		return problem.New(http.StatusUnsupportedMediaType, problem.CodeUnsupportedFormat, "A photo's content type is image/jpeg or the like.").
			WithField("content_type", "is not that of a photo").WithCause(err)
	}
	f.ContentType = kind
	return nil
}
