package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"maskfleet/pkg/job"
)

// The bounds of what is sent. A photo is bounded by the door long before
// MaxPhotoBytes; the pictures by the size to which the slot draws them.
const (
	MaxPhotoBytes     = 64 << 20
	MaxAnnotatedBytes = 8 << 20
	MaxThumbnailBytes = 512 << 10
	MaxFaces          = 1000
	maxSidePixels     = 1 << 16
	maxHeadBytes      = 512 << 10
	maxCauseBytes     = 300
)

// Hello is a slot's first word: it has its model and its limits in place.
type Hello struct {
	Model job.Model `json:"model"`
}

// Request asks a slot to analyse one photo.
type Request struct {
	// Attempt counts the photo's attempts from 1; only simulated faults look at it.
	Attempt int    `json:"attempt"`
	Data    []byte `json:"-"`
}

// Result is what a slot found in a photo.
type Result struct {
	Width     int        `json:"width"` // of the upright photo, pixels
	Height    int        `json:"height"`
	Faces     []job.Face `json:"faces"`
	Annotated []byte     `json:"-"` // JPEG
	Thumbnail []byte     `json:"-"` // JPEG
}

type resultHead struct {
	Result
	AnnotatedBytes int `json:"annotated_bytes"`
	ThumbnailBytes int `json:"thumbnail_bytes"`
}

type failureHead struct {
	Code  job.Code `json:"code"`
	Cause string   `json:"cause"`
}

// WriteHello says that the slot is ready.
func WriteHello(w io.Writer, h Hello) error { return writeFrame(w, kindHello, h) }

// WriteRequest sends a photo; one that is larger than MaxPhotoBytes is refused
// before anything is sent.
func WriteRequest(w io.Writer, r Request) error {
	if len(r.Data) > MaxPhotoBytes {
		return fmt.Errorf("a photo of %d bytes does not fit a frame", len(r.Data))
	}
	return writeFrame(w, kindRequest, r, r.Data)
}

// WriteResult answers a request.
func WriteResult(w io.Writer, r Result) error {
	head := resultHead{Result: r, AnnotatedBytes: len(r.Annotated), ThumbnailBytes: len(r.Thumbnail)}
	return writeFrame(w, kindResult, head, r.Annotated, r.Thumbnail)
}

// WriteFailure answers a request that came to nothing. The cause is for logs and
// is shortened.
func WriteFailure(w io.Writer, f *job.Failure) error {
	head := failureHead{Code: f.Code}
	if f.Cause != nil {
		head.Cause = shorten(f.Cause.Error())
	}
	return writeFrame(w, kindFailure, head)
}

// ReadHello reads a slot's first word.
func ReadHello(r io.Reader) (Hello, error) {
	f, err := readFrame(r, func(k kind) (bounds, bool) {
		return bounds{headBytes: maxHeadBytes}, k == kindHello
	})
	if err != nil {
		return Hello{}, err
	}
	var h Hello
	if err := decodeHead(f, &h); err != nil {
		return Hello{}, err
	}
	if h.Model.Name == "" || h.Model.Version == "" || len(h.Model.Name)+len(h.Model.Version) > 100 {
		return Hello{}, fmt.Errorf("%w: a hello without a model", ErrMalformed)
	}
	return h, nil
}

// ReadRequest reads the next photo; io.EOF says that there will be none.
func ReadRequest(r io.Reader) (Request, error) {
	f, err := readFrame(r, func(k kind) (bounds, bool) {
		return bounds{headBytes: maxHeadBytes, bodyBytes: MaxPhotoBytes}, k == kindRequest
	})
	if err != nil {
		return Request{}, err
	}
	var request Request
	if err := decodeHead(f, &request); err != nil {
		return Request{}, err
	}
	request.Data = f.body
	return request, nil
}

// ReadReply reads a slot's answer. A failure that the slot reported comes as a
// *job.Failure; every other error means that the slot cannot be used any more.
func ReadReply(r io.Reader) (Result, error) {
	f, err := readFrame(r, func(k kind) (bounds, bool) {
		switch k {
		case kindResult:
			return bounds{headBytes: maxHeadBytes, bodyBytes: MaxAnnotatedBytes + MaxThumbnailBytes}, true
		case kindFailure:
			return bounds{headBytes: maxHeadBytes}, true
		default:
			return bounds{}, false
		}
	})
	switch {
	case errors.Is(err, io.EOF):
		return Result{}, io.ErrUnexpectedEOF
	case err != nil:
		return Result{}, err
	case f.kind == kindFailure:
		return Result{}, readFailure(f)
	default:
		return readResult(f)
	}
}

func readFailure(f frame) error {
	var head failureHead
	if err := decodeHead(f, &head); err != nil {
		return err
	}
	if !slices.Contains(reportable(), head.Code) {
		return fmt.Errorf("%w: a slot cannot report %q", ErrMalformed, head.Code)
	}
	return job.Fail(head.Code, errors.New(shorten(head.Cause)))
}

// reportable are the failures that a slot can see for itself.
func reportable() []job.Code {
	return []job.Code{
		job.CodeDecodeFailed, job.CodeUnsupportedFormat, job.CodeImageTooLarge, job.CodeImageTooSmall, job.CodeInternal,
	}
}

func readResult(f frame) (Result, error) {
	var head resultHead
	if err := decodeHead(f, &head); err != nil {
		return Result{}, err
	}
	if head.AnnotatedBytes < 0 || head.AnnotatedBytes > MaxAnnotatedBytes ||
		head.ThumbnailBytes < 0 || head.ThumbnailBytes > MaxThumbnailBytes ||
		head.AnnotatedBytes+head.ThumbnailBytes != len(f.body) {
		return Result{}, fmt.Errorf("%w: pictures of %d and %d bytes in %d", ErrMalformed, head.AnnotatedBytes, head.ThumbnailBytes, len(f.body))
	}
	result := head.Result
	result.Annotated = f.body[:head.AnnotatedBytes:head.AnnotatedBytes]
	result.Thumbnail = f.body[head.AnnotatedBytes:]
	if err := checkResult(result); err != nil {
		return Result{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return result, nil
}

// checkResult holds what a slot says against what can be true, since the slot has
// just handled bytes from a stranger.
func checkResult(r Result) error {
	if r.Width < 1 || r.Height < 1 || r.Width > maxSidePixels || r.Height > maxSidePixels {
		return fmt.Errorf("a photo of %d × %d pixels", r.Width, r.Height)
	}
	if len(r.Faces) > MaxFaces {
		return fmt.Errorf("%d faces", len(r.Faces))
	}
	for i, f := range r.Faces {
		if err := checkFace(f, r.Width, r.Height); err != nil {
			return fmt.Errorf("face %d: %w", i, err)
		}
	}
	if !isJPEG(r.Annotated) || !isJPEG(r.Thumbnail) {
		return errors.New("a picture that is not a JPEG")
	}
	return nil
}

func checkFace(f job.Face, width, height int) error {
	if f.Label != job.LabelMasked && f.Label != job.LabelUnmasked && f.Label != job.LabelIncorrect {
		return fmt.Errorf("label %q", shorten(string(f.Label)))
	}
	if math.IsNaN(f.Confidence) || f.Confidence < 0 || f.Confidence > 1 {
		return fmt.Errorf("confidence %v", f.Confidence)
	}
	b := f.Box
	if b.XMin < 0 || b.YMin < 0 || b.XMin >= b.XMax || b.YMin >= b.YMax || b.XMax > width || b.YMax > height {
		return fmt.Errorf("box %+v outside %d × %d", b, width, height)
	}
	return nil
}

func isJPEG(picture []byte) bool { return bytes.HasPrefix(picture, []byte{0xff, 0xd8, 0xff}) }

func shorten(text string) string {
	if len(text) > maxCauseBytes {
		text = text[:maxCauseBytes]
	}
	return strings.ToValidUTF8(text, "?")
}
