package imagestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The errors that callers tell apart.
var (
	// ErrNotFound means that no object has this key.
	ErrNotFound = errors.New("object not found")
	// ErrUnavailable means that S3 could not be reached, did not answer in time or
	// asked for less haste. Whether a change took effect is unknown.
	ErrUnavailable = errors.New("s3 is unavailable")
	// ErrDenied means that S3 refuses our credentials or their permissions, which
	// no retry cures: a mistake in the configuration.
	ErrDenied = errors.New("s3 denies access")
	// ErrTooLarge means that an object is larger than its reader can take.
	ErrTooLarge = errors.New("object is too large")
	// ErrNoBucket means that the bucket does not exist; see EnsureBucket.
	ErrNoBucket = errors.New("bucket does not exist")
)

// classify marks an error of the client with the error that callers tell apart.
func classify(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	// A caller that went away says nothing about S3.
	if errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	if kind := kindOf(err); kind != nil {
		return fmt.Errorf("%w: %w", kind, err)
	}
	return err
}

func kindOf(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		if kind := kindOfCode(answer.ErrorCode()); kind != nil {
			return kind
		}
	}
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusMultipleChoices {
		return kindOfStatus(response.HTTPStatusCode())
	}
	var network net.Error
	var unsent *smithyhttp.RequestSendError
	if errors.As(err, &network) || errors.As(err, &unsent) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || errors.Is(err, context.DeadlineExceeded) {
		return ErrUnavailable
	}
	return nil
}

// kindOfCode reads the codes that say more than their status, or that come without
// one, as in the answer to a deletion of many.
func kindOfCode(code string) error {
	is := func(codes ...string) bool { return slices.Contains(codes, code) }
	switch {
	case is("NoSuchKey"):
		return ErrNotFound
	case is("NoSuchBucket"):
		return ErrNoBucket
	case is("AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "ExpiredToken"):
		return ErrDenied
	case is("SlowDown", "InternalError", "ServiceUnavailable", "RequestTimeout", "Throttling", "ThrottlingException",
		"RequestThrottled", "TooManyRequests", "OperationAborted"):
		return ErrUnavailable
	}
	return nil
}

func kindOfStatus(status int) error {
	switch {
	case status == http.StatusNotFound:
		return ErrNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return ErrDenied
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= http.StatusInternalServerError:
		return ErrUnavailable
	}
	return nil
}
