package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"mime"
	"net/http"
	"strings"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/strictjson"
)

// askedPhoto is what a request for one photo asks, for its fingerprint.
type askedPhoto struct {
	SHA256   string            `json:"sha256"` // of the bytes that came with it
	Filename string            `json:"filename"`
	Source   job.Source        `json:"source"`
	Link     string            `json:"link"`
	Metadata map[string]string `json:"metadata"`
}

// submitted accepts the photo of a request, whichever way it comes.
func (s *Service) submitted(c *fiber.Ctx, user jobstore.User) (job.Photo, error) {
	kind, _, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err == nil && kind == fiber.MIMEApplicationJSON {
		return s.submittedJSON(c, user)
	}
	f, err := s.readForm(c)
	defer f.release()
	if err != nil {
		return job.Photo{}, err
	}
	for name, value := range f.fields {
		if name != "metadata" {
			return job.Photo{}, problem.New(http.StatusBadRequest, problem.CodeUnexpectedParameter,
				"The request has a field that is not known.").WithField(name, "is not known")
		}
		if f.file.metadata, err = parseMetadata([]byte(value)); err != nil {
			return job.Photo{}, err
		}
	}
	return s.submittedUpload(c, user, *f.file)
}

// submittedUpload accepts a photo whose bytes came with the request.
func (s *Service) submittedUpload(c *fiber.Ctx, user jobstore.User, up upload) (job.Photo, error) {
	a, err := attemptOf(c)
	if err != nil {
		return job.Photo{}, err
	}
	ctx := httpserver.Context(c)
	asked := askedPhoto{Filename: up.filename, Source: job.SourceUpload, Metadata: up.metadata}
	if a.key != nil {
		sum := sha256.Sum256(up.data)
		asked.SHA256 = hex.EncodeToString(sum[:])
	}
	if photo, made, err := s.agreeOnPhoto(ctx, a, user, asked); made || err != nil {
		return photo, err
	}
	return s.acceptUploadAs(ctx, a.id, user, up)
}

// submittedSource accepts a photo that a worker will fetch.
func (s *Service) submittedSource(c *fiber.Ctx, user jobstore.User, photo job.Photo) (job.Photo, error) {
	a, err := attemptOf(c)
	if err != nil {
		return job.Photo{}, err
	}
	ctx := httpserver.Context(c)
	if err := s.mayName(ctx, user, photo); err != nil {
		return job.Photo{}, err
	}
	asked := askedPhoto{Source: photo.Source, Link: photo.Link, Metadata: photo.Metadata}
	if photo, made, err := s.agreeOnPhoto(ctx, a, user, asked); made || err != nil {
		return photo, err
	}
	return s.acceptFetched(ctx, a.id, user, photo)
}

// mayName refuses what the account may not name in S3; the worker looks again.
func (s *Service) mayName(ctx context.Context, user jobstore.User, photo job.Photo) error {
	if photo.Source != job.SourceS3 {
		return nil
	}
	bucket, key, err := job.ParseS3URI(photo.Link)
	if err != nil {
		return err
	}
	sources, err := s.store.S3Sources(ctx, user.ID)
	if err != nil {
		return storeProblem("reading what an account may name", err)
	}
	if !sources.Allow(bucket, key) {
		return problem.New(http.StatusForbidden, problem.CodeForbidden, "This account may not name that bucket or prefix. An administrator can allow it.").
			WithField("s3_uri", "is not allowed for this account")
	}
	return nil
}

// agreeOnPhoto agrees on what is asked, and gives the photo if an earlier try at the
// request has made it.
func (s *Service) agreeOnPhoto(ctx context.Context, a *attempt, user jobstore.User, asked askedPhoto) (photo job.Photo, made bool, err error) {
	fingerprint, err := fingerprintOf(asked)
	if err == nil {
		err = a.agree(ctx, fingerprint)
	}
	if err != nil || !a.again {
		return job.Photo{}, false, err
	}
	photo, err = s.find(ctx, user, a.id)
	if p := problem.From(err); p != nil {
		if p.Status == http.StatusNotFound {
			err = nil
		}
		return job.Photo{}, false, err
	}
	return photo, true, nil
}

// detectionRequest is the JSON body of POST /v1/detections.
type detectionRequest struct {
	Image    *imageRequest     `json:"image"`
	Metadata map[string]string `json:"metadata"`
}

// imageRequest names exactly one source.
type imageRequest struct {
	URL      *string `json:"url"`
	Base64   *[]byte `json:"base64"`
	S3URI    *string `json:"s3_uri"`
	UploadID *string `json:"upload_id"`
}

func (s *Service) submittedJSON(c *fiber.Ctx, user jobstore.User) (job.Photo, error) {
	limit := 4*(s.cfg.Photo.MaxBytes/3+1) + formOverhead
	if err := s.admitBody(c, limit); err != nil {
		return job.Photo{}, err
	}
	body, release, err := s.readBytes(s.admission.memory, httpserver.Body(c), limit)
	if err != nil {
		return job.Photo{}, err
	}
	defer release()
	decoding := int64(2 * len(body)) // its text without escapes, and the photo
	if !s.admission.memory.take(decoding) {
		return job.Photo{}, tooBusy()
	}
	defer s.admission.memory.give(decoding)
	request, err := parseDetectionRequest(body)
	if err != nil {
		return job.Photo{}, err
	}
	if err := checkMetadata(request.Metadata); err != nil {
		return job.Photo{}, err
	}
	if request.Image.Base64 == nil {
		photo, err := request.Image.source()
		if err != nil {
			return job.Photo{}, err
		}
		photo.Metadata = request.Metadata
		return s.submittedSource(c, user, photo)
	}
	data := *request.Image.Base64
	if int64(len(data)) > s.cfg.Photo.MaxBytes {
		return job.Photo{}, s.fileTooLarge()
	}
	if len(data) == 0 {
		return job.Photo{}, emptyBody("The photo is empty.")
	}
	name, err := cleanName("")
	if err != nil {
		return job.Photo{}, err
	}
	return s.submittedUpload(c, user, upload{data: data, filename: name, metadata: request.Metadata, release: func() {}})
}

// source is where the photo is to be fetched from. Whether it is there, and whether
// the account may name it, is seen when it is fetched.
func (i imageRequest) source() (job.Photo, error) {
	switch {
	case i.URL != nil:
		return job.Photo{Source: job.SourceLink, Link: *i.URL}, nil
	case i.S3URI != nil:
		if _, key, err := job.ParseS3URI(*i.S3URI); err != nil || key == "" {
			return job.Photo{}, problem.New(http.StatusBadRequest, problem.CodeInvalidLink, "“s3_uri” must be s3://bucket/key.").
				WithField("s3_uri", "must be s3://bucket/key").WithCause(err)
		}
		return job.Photo{Source: job.SourceS3, Link: *i.S3URI}, nil
	default:
		if _, err := job.ParseUploadID(*i.UploadID); err != nil {
			return job.Photo{}, problem.New(http.StatusBadRequest, problem.CodeInvalidLink, "“upload_id” is not one that was given out.").
				WithField("upload_id", "is not one that was given out").WithCause(err)
		}
		return job.Photo{Source: job.SourceSigned, Link: *i.UploadID}, nil
	}
}

func parseDetectionRequest(body []byte) (detectionRequest, error) {
	var request detectionRequest
	if err := readJSON(body, &request); err != nil {
		return request, err
	}
	if request.Image == nil || request.Image.sources() != 1 {
		return request, problem.New(http.StatusBadRequest, problem.CodeMissingField,
			"The request must have an “image” with one of “url”, “base64”, “s3_uri” and “upload_id”.").WithField("image", "must have one source")
	}
	return request, nil
}

func (i imageRequest) sources() int {
	n := 0
	for _, given := range []bool{i.URL != nil, i.Base64 != nil, i.S3URI != nil, i.UploadID != nil} {
		if given {
			n++
		}
	}
	return n
}

// parseMetadata reads the client's own notes: a small object of strings.
func parseMetadata(text []byte) (map[string]string, error) {
	if len(text) == 0 {
		return nil, nil
	}
	var metadata map[string]string
	if err := strictjson.Read(text, &metadata); err != nil {
		fault := strictjson.FaultIn(err)
		return nil, badMetadata(strings.TrimSuffix("metadata."+fault.Field, "."), fault.Why, err)
	}
	return metadata, checkMetadata(metadata)
}

func checkMetadata(metadata map[string]string) error {
	if err := job.CheckMetadata(metadata); err != nil {
		return badMetadata("metadata", err.Error(), err)
	}
	return nil
}

func badMetadata(field, why string, err error) error {
	return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The metadata is not allowed.").
		WithField(field, why).WithCause(err)
}
