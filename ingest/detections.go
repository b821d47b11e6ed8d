package ingest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

const (
	acceptedRetryAfter = "1" // seconds, where no estimate is; a photo takes about one
	maxMetadataKeys    = 16
	maxMetadataKey     = 64
	maxMetadataValue   = 512
)

// createDetection answers POST /v1/detections.
func (s *Service) createDetection(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	wait, err := s.preferredWait(c)
	if err != nil {
		return err
	}
	photo, err := s.submitted(c, user)
	if err != nil {
		return err
	}
	if wait > 0 {
		// The photo is accepted: whatever goes wrong now, the answer is 2xx.
		if seen, err := s.wait(httpserver.Context(c), user, photo.ID, wait); err == nil {
			photo = seen
		}
		c.Set("Preference-Applied", "wait="+strconv.Itoa(int(wait.Seconds())))
	}
	c.Location(detectionPath(photo.ID))
	d, retryAfter := s.waitingDetection(httpserver.Context(c), photo)
	if retryAfter == "" {
		return c.JSON(d)
	}
	c.Set(fiber.HeaderRetryAfter, retryAfter)
	return c.Status(http.StatusAccepted).JSON(d)
}

func detectionPath(id job.ID) string { return apiRoot + "/detections/" + id.String() }

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
	return s.acceptUpload(httpserver.Context(c), user, *f.file)
}

// detectionRequest is the JSON body of POST /v1/detections.
type detectionRequest struct {
	Image    *imageRequest   `json:"image"`
	Metadata json.RawMessage `json:"metadata"`
}

// imageRequest names exactly one source.
type imageRequest struct {
	URL    *string `json:"url"`
	Base64 *[]byte `json:"base64"`
}

func (s *Service) submittedJSON(c *fiber.Ctx, user jobstore.User) (job.Photo, error) {
	limit := 4*(s.cfg.Photo.MaxBytes/3+1) + formOverhead
	if err := s.admitBody(c, limit); err != nil {
		return job.Photo{}, err
	}
	body, release, err := s.readBytes(httpserver.Body(c), limit)
	if err != nil {
		return job.Photo{}, err
	}
	defer release()
	decoding := int64(2 * len(body)) // the decoder's own copy, and the photo
	if !s.admission.memory.take(decoding) {
		return job.Photo{}, tooBusy()
	}
	defer s.admission.memory.give(decoding)
	request, err := parseDetectionRequest(body)
	if err != nil {
		return job.Photo{}, err
	}
	metadata, err := parseMetadata(request.Metadata)
	if err != nil {
		return job.Photo{}, err
	}
	if request.Image.URL != nil {
		return s.acceptLink(httpserver.Context(c), user, *request.Image.URL, metadata)
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
	up := upload{data: data, filename: name, metadata: metadata, release: func() {}}
	return s.acceptUpload(httpserver.Context(c), user, up)
}

func parseDetectionRequest(body []byte) (detectionRequest, error) {
	var request detectionRequest
	in := json.NewDecoder(bytes.NewReader(body))
	in.DisallowUnknownFields()
	if err := in.Decode(&request); err != nil {
		return request, unreadableJSON(err)
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return request, unreadableJSON(errors.New("something follows the object"))
	}
	if request.Image == nil || (request.Image.URL == nil) == (request.Image.Base64 == nil) {
		return request, problem.New(http.StatusBadRequest, problem.CodeMissingField,
			"The request must have an “image” with either “url” or “base64”.").WithField("image", "must have one source")
	}
	return request, nil
}

func unreadableJSON(err error) error {
	p := problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The JSON body could not be read.").WithCause(err)
	var wrongType *json.UnmarshalTypeError
	field, unknown := strings.CutPrefix(err.Error(), "json: unknown field ")
	switch {
	case unknown:
		p.Code = problem.CodeUnexpectedParameter
		p.Detail = "The JSON body has a field that is not known."
		return p.WithField(strings.Trim(field, `"`), "is not known")
	case errors.As(err, &wrongType) && wrongType.Field != "":
		return p.WithField(wrongType.Field, "has the wrong type")
	default:
		return p
	}
}

// parseMetadata reads the client's own notes: a small object of strings.
func parseMetadata(text []byte) (map[string]string, error) {
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	refuse := func(why string, err error) error {
		return problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The metadata is not allowed.").
			WithField("metadata", why).WithCause(err)
	}
	var metadata map[string]string
	if err := json.Unmarshal(text, &metadata); err != nil {
		return nil, refuse("must be an object whose values are strings", err)
	}
	if len(metadata) > maxMetadataKeys {
		return nil, refuse(fmt.Sprintf("may have at most %d entries", maxMetadataKeys), nil)
	}
	for key, value := range metadata {
		if len(key) > maxMetadataKey || len(value) > maxMetadataValue {
			return nil, refuse(fmt.Sprintf("may have names of %d and values of %d bytes", maxMetadataKey, maxMetadataValue), nil)
		}
	}
	return metadata, nil
}

// preferredWait reads "Prefer: wait=N"; more than the limit counts as the limit,
// because a preference binds nobody.
func (s *Service) preferredWait(c *fiber.Ctx) (time.Duration, error) {
	for preference := range strings.SplitSeq(c.Get("Prefer"), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(preference), "=")
		if !strings.EqualFold(name, "wait") {
			continue
		}
		d, err := parseSeconds(value)
		if err != nil {
			return 0, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
				"“Prefer: wait=” takes a whole number of seconds.").WithCause(err)
		}
		return min(d, s.cfg.Waiting.WaitLimit), nil
	}
	return 0, nil
}

// queriedWait reads ?wait=N; more than the limit is refused.
func (s *Service) queriedWait(c *fiber.Ctx) (time.Duration, error) {
	text := c.Query("wait")
	if text == "" {
		return 0, nil
	}
	d, err := parseSeconds(text)
	if err != nil || d > s.cfg.Waiting.WaitLimit {
		return 0, problem.New(http.StatusBadRequest, problem.CodeInvalidRequest,
			fmt.Sprintf("“wait” takes a whole number of seconds from 0 to %d.", int(s.cfg.Waiting.WaitLimit.Seconds()))).
			WithField("wait", "is not allowed").WithCause(err)
	}
	return d, nil
}

func parseSeconds(text string) (time.Duration, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return time.Duration(n) * time.Second, err
}

// getDetection answers GET /v1/detections/{id}.
func (s *Service) getDetection(c *fiber.Ctx) error {
	user, err := s.currentUser(c)
	if err != nil {
		return err
	}
	id, err := photoID(c.Params("id"))
	if err != nil {
		return err
	}
	wait, err := s.queriedWait(c)
	if err != nil {
		return err
	}
	photo, err := s.wait(httpserver.Context(c), user, id, wait)
	if err != nil {
		return err
	}
	d, retryAfter := s.waitingDetection(httpserver.Context(c), photo)
	body, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("encoding a detection: %w", err)
	}
	tag := etagOf(body)
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "private, no-cache")
	if matches(c.Get(fiber.HeaderIfNoneMatch), tag) {
		return c.SendStatus(http.StatusNotModified)
	}
	if retryAfter != "" {
		c.Set(fiber.HeaderRetryAfter, retryAfter)
	}
	c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	return c.Send(body)
}

func etagOf(body []byte) string {
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:12]) + `"`
}

// matches compares weakly, as If-None-Match wants it.
func matches(ifNoneMatch, tag string) bool {
	for candidate := range strings.SplitSeq(ifNoneMatch, ",") {
		candidate = strings.TrimSpace(candidate)
		if candidate == "*" || strings.TrimPrefix(candidate, "W/") == tag {
			return true
		}
	}
	return false
}

// limits is the answer of GET /v1/limits.
type limits struct {
	Photo photoLimits `json:"photo"`
	Wait  waitLimits  `json:"wait"`
	Queue queueLimits `json:"queue"`
}

type photoLimits struct {
	MaxBytes  int64    `json:"max_bytes"`
	MinSide   int      `json:"min_side_px"`
	MaxSide   int      `json:"max_side_px"`
	MaxPixels int      `json:"max_pixels"`
	Formats   []string `json:"formats"`
}

type waitLimits struct {
	MaxSeconds int `json:"max_seconds"`
}

type queueLimits struct {
	MaxPhotos int `json:"max_photos"`
}

func (s *Service) getLimits(c *fiber.Ctx) error {
	l := s.cfg.Photo
	return c.JSON(limits{
		Photo: photoLimits{
			MaxBytes: l.MaxBytes, MinSide: l.MinSide, MaxSide: l.MaxSide, MaxPixels: l.MaxPixels,
			Formats: []string{"jpeg", "png", "webp", "bmp"},
		},
		Wait:  waitLimits{MaxSeconds: int(s.cfg.Waiting.WaitLimit.Seconds())},
		Queue: queueLimits{MaxPhotos: s.cfg.Admission.QueueLimit},
	})
}
