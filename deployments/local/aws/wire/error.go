package wire

import (
	"errors"
	"fmt"
	"net/http"
)

// Error is what a caller of AWS is told. Its code is what programs decide by.
type Error struct {
	Code    string
	Message string
	Status  int    // of HTTP; 0: 400
	Shape   string // its name in CBOR; empty: the code
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// status is that of the answer.
func (e *Error) status() int {
	if e.Status == 0 {
		return http.StatusBadRequest
	}
	return e.Status
}

// shape is its name in CBOR.
func (e *Error) shape() string {
	if e.Shape == "" {
		return e.Code
	}
	return e.Shape
}

// fault is "Sender" where the caller is to blame.
func (e *Error) fault() string {
	if e.status() >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

// Codes of errors that come before an operation is reached. EC2 has names of its
// own for some of them.
const (
	codeInternal         = "InternalError"
	codeInternalFailure  = "InternalFailure"
	codeInvalidAction    = "InvalidAction"
	codeInvalidParameter = "InvalidParameterValue"
	codeUnknownParameter = "UnknownParameter"
	codeValidation       = "ValidationError"
	codeMalformedQuery   = "MalformedQueryString"
	codeAuthFailure      = "AuthFailure"
	codeRequestExpired   = "RequestExpired"
	codeMissingToken     = "MissingAuthenticationToken"
	codeUnknownKey       = "InvalidClientTokenId"
	codeWrongSignature   = "SignatureDoesNotMatch"
	codeExpiredToken     = "ExpiredToken"
	codeEC2Throttled     = "RequestLimitExceeded"
	codeThrottled        = "Throttling"
)

// CommonCodes are those that any operation may answer with.
func CommonCodes(d Dialect) []string {
	if d == EC2 {
		return []string{
			codeInternal, codeInvalidAction, codeInvalidParameter, codeUnknownParameter, codeMalformedQuery,
			codeAuthFailure, codeRequestExpired, codeEC2Throttled,
		}
	}
	return []string{
		codeInternalFailure, codeInvalidAction, codeValidation, codeMalformedQuery,
		codeMissingToken, codeUnknownKey, codeWrongSignature, codeExpiredToken, codeThrottled,
	}
}

// Throttled is the answer to who asks too often.
func Throttled(d Dialect) *Error {
	if d == EC2 {
		return &Error{Code: codeEC2Throttled, Message: "Request limit exceeded.", Status: http.StatusServiceUnavailable}
	}
	return &Error{Code: codeThrottled, Message: "Rate exceeded", Status: http.StatusBadRequest}
}

// Expired is the answer to credentials that were good once.
func Expired(d Dialect) *Error {
	if d == EC2 {
		return &Error{Code: codeRequestExpired, Message: "Request has expired."}
	}
	return &Error{Code: codeExpiredToken, Message: "The security token included in the request is expired", Status: http.StatusForbidden}
}

// answerable makes an Error of any error. What the stand-in itself did wrong is told
// as it is: its caller is a developer.
func answerable(err error, d Dialect) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	var parameter *parameterError
	if errors.As(err, &parameter) {
		code := codeInvalidParameter
		switch {
		case d != EC2:
			code = codeValidation
		case parameter.unknown:
			code = codeUnknownParameter
		}
		return &Error{Code: code, Message: parameter.Error()}
	}
	internal := codeInternalFailure
	if d == EC2 {
		internal = codeInternal
	}
	return &Error{Code: internal, Message: fmt.Sprintf("The stand-in failed: %v", err), Status: http.StatusInternalServerError}
}
