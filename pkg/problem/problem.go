package problem

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// The codes, stable for ever; docs/errors.md has the cause and cure of each.
const (
	CodeInvalidRequest      = "invalid_request"
	CodeMissingField        = "missing_field"
	CodeUnexpectedParameter = "unexpected_parameter"
	CodeNotMultipart        = "not_multipart"
	CodeTooManyFiles        = "too_many_files"
	CodeTooManyItems        = "too_many_items"
	CodeEmptyBody           = "empty_body"
	CodeFileTooLarge        = "file_too_large"
	CodeUnsupportedFormat   = "unsupported_format"
	CodeImageTooLarge       = "image_too_large"
	CodeImageTooSmall       = "image_too_small"
	CodeDecodeFailed        = "decode_failed"
	CodeInvalidName         = "invalid_name"
	CodeInvalidLink         = "invalid_link"
	CodeUnauthenticated     = "unauthenticated"
	CodeWrongCredentials    = "wrong_credentials"
	CodeForbidden           = "forbidden"
	CodeNotFound            = "not_found"
	CodeGone                = "gone"
	CodeMethodNotAllowed    = "method_not_allowed"
	CodeConflict            = "conflict"
	CodeUsernameTaken       = "username_taken"

	CodeIdempotencyInProgress = "idempotency_in_progress"
	CodeIdempotencyMismatch   = "idempotency_mismatch"

	CodeRateLimited   = "rate_limited"
	CodeQuotaExceeded = "quota_exceeded"
	CodeQueueFull     = "queue_full"
	CodeIntakePaused  = "intake_paused"
	CodeUnavailable   = "unavailable"
	CodeWaitTimeout   = "wait_timeout"
	CodeInternal      = "internal"
)

// Codes lists every code, in the order of the catalogue.
func Codes() []string {
	return []string{
		CodeInvalidRequest, CodeMissingField, CodeUnexpectedParameter, CodeNotMultipart, CodeTooManyFiles, CodeTooManyItems,
		CodeEmptyBody, CodeFileTooLarge, CodeUnsupportedFormat, CodeImageTooLarge, CodeImageTooSmall,
		CodeDecodeFailed, CodeInvalidName, CodeInvalidLink, CodeUnauthenticated, CodeWrongCredentials,
		CodeForbidden, CodeNotFound, CodeGone, CodeMethodNotAllowed, CodeConflict, CodeUsernameTaken,
		CodeIdempotencyInProgress, CodeIdempotencyMismatch, CodeRateLimited, CodeQuotaExceeded, CodeQueueFull, CodeIntakePaused, CodeUnavailable, CodeWaitTimeout, CodeInternal,
	}
}

// FieldError is what is wrong with one field of a request.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Problem is a refused or failed request.
type Problem struct {
	Status     int    // HTTP status
	Code       string // one of the codes above
	Title      string // the status in words
	Detail     string // a sentence a person understands
	Errors     []FieldError
	RetryAfter time.Duration // zero: no Retry-After
	Cause      error         // for the log only
}

// New makes a problem; detail is the sentence shown to the person.
func New(status int, code, detail string) *Problem {
	return &Problem{Status: status, Code: code, Title: http.StatusText(status), Detail: detail}
}

// Unavailable makes the problem of a part that is away for now.
func Unavailable(cause error) *Problem {
	return New(http.StatusServiceUnavailable, CodeUnavailable,
		"The service is not available at the moment. Nothing was lost; please try again in a few seconds.").
		WithRetryAfter(5 * time.Second).WithCause(cause)
}

// WithCause gives a copy that carries the error behind it for the log.
func (p *Problem) WithCause(err error) *Problem {
	q := *p
	q.Cause = err
	return &q
}

// WithRetryAfter gives a copy that tells the client when to try again.
func (p *Problem) WithRetryAfter(d time.Duration) *Problem {
	q := *p
	q.RetryAfter = d
	return &q
}

// WithField gives a copy that also names a field and what is wrong with it.
func (p *Problem) WithField(name, message string) *Problem {
	q := *p
	q.Errors = append(append([]FieldError(nil), p.Errors...), FieldError{Field: name, Message: message})
	return &q
}

// Error gives the code and the cause, for logs.
func (p *Problem) Error() string {
	if p.Cause == nil {
		return fmt.Sprintf("%d %s", p.Status, p.Code)
	}
	return fmt.Sprintf("%d %s: %v", p.Status, p.Code, p.Cause)
}

// Unwrap gives the cause.
func (p *Problem) Unwrap() error { return p.Cause }

// RetryAfterHeader is the value of Retry-After in whole seconds, at least one, or
// "" without a RetryAfter.
func (p *Problem) RetryAfterHeader() string {
	if p.RetryAfter <= 0 {
		return ""
	}
	return strconv.Itoa(max(1, int(math.Ceil(p.RetryAfter.Seconds()))))
}

// From finds the problem in err. Any other error becomes 500 internal with err as
// its cause; nil stays nil.
func From(err error) *Problem {
	if err == nil {
		return nil
	}
	var p *Problem
	if errors.As(err, &p) {
		return p
	}
	return New(http.StatusInternalServerError, CodeInternal,
		"Something went wrong on our side. Please try again; if it goes on, tell us the request's number.").WithCause(err)
}
