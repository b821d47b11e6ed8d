package job

// Code is the stable name of a failure, in the API, in DEAD and in the catalogue
// docs/errors.md.
type Code string

// The codes with which a photo can fail.
const (
	CodeImageTooLarge     Code = "image_too_large"
	CodeImageTooSmall     Code = "image_too_small"
	CodeUnsupportedFormat Code = "unsupported_format"
	CodeDecodeFailed      Code = "decode_failed"
	CodeDecoderCrashed    Code = "decoder_crashed"
	CodeFetchForbidden    Code = "fetch_forbidden"
	CodeFetchTimeout      Code = "fetch_timeout"
	CodeFetchStatus       Code = "fetch_status"
	CodeObjectNotFound    Code = "object_not_found"
	CodeInferenceTimeout  Code = "inference_timeout"
	CodeWorkerLost        Code = "worker_lost"
	CodeExpired           Code = "expired"
	CodeCancelled         Code = "cancelled"
	CodeInternal          Code = "internal"
)

// codeFacts is what the catalogue says of a code.
type codeFacts struct {
	message   string // the sentence a person reads
	retryable bool   // another attempt may end differently
}

func factsOf(c Code) codeFacts {
	switch c {
	case CodeImageTooLarge:
		return codeFacts{"The photo is larger than the limit.", false}
	case CodeImageTooSmall:
		return codeFacts{"The photo is smaller than the limit.", false}
	case CodeUnsupportedFormat:
		return codeFacts{"The file is not a JPEG, PNG, WebP or BMP photo.", false}
	case CodeDecodeFailed:
		return codeFacts{"The photo is damaged and cannot be opened.", false}
	case CodeDecoderCrashed:
		return codeFacts{"The photo could not be opened safely.", true}
	case CodeFetchForbidden:
		return codeFacts{"The photo lies where it may not be fetched from.", false}
	case CodeFetchTimeout:
		return codeFacts{"The photo could not be fetched in time.", true}
	case CodeFetchStatus:
		return codeFacts{"The server behind the link did not return a photo.", true}
	case CodeObjectNotFound:
		return codeFacts{"The photo’s file is not there.", false}
	case CodeInferenceTimeout:
		return codeFacts{"The photo took too long to process.", true}
	case CodeWorkerLost:
		return codeFacts{"The worker was lost while it processed the photo.", true}
	case CodeExpired:
		return codeFacts{"The photo waited longer than its time limit.", true}
	case CodeCancelled:
		return codeFacts{"The photo was cancelled before it was processed.", false}
	case CodeInternal:
		return codeFacts{"Something went wrong on our side.", true}
	}
	return codeFacts{"Something went wrong on our side.", true}
}

// Failure is why an attempt, or the whole photo, failed. Its Cause is for the log
// and must never reach a client.
type Failure struct {
	Code Code
	// SlotDeath says that the attempt cost a slot its life.
	SlotDeath bool
	// Permanent says of this very failure that another attempt ends the same way,
	// although its code does not always mean that.
	Permanent bool
	Cause     error
	// Model is what the worker ran when the photo ended with this failure, so that
	// failures can be told apart by it; empty if no worker said so.
	Model Model
}

// Fail makes the failure of an attempt.
func Fail(code Code, cause error) *Failure { return &Failure{Code: code, Cause: cause} }

// Error gives the code and the cause, for logs.
func (f *Failure) Error() string {
	if f.Cause == nil {
		return string(f.Code)
	}
	return string(f.Code) + ": " + f.Cause.Error()
}

// Unwrap gives the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// Message is the sentence a person may read.
func (f *Failure) Message() string { return factsOf(f.Code).message }

// Retryable says whether another attempt may end differently.
func (f *Failure) Retryable() bool { return factsOf(f.Code).retryable && !f.Permanent }

// Codes lists the codes of the catalogue.
func Codes() []Code {
	return []Code{
		CodeImageTooLarge, CodeImageTooSmall, CodeUnsupportedFormat, CodeDecodeFailed, CodeDecoderCrashed,
		CodeFetchForbidden, CodeFetchTimeout, CodeFetchStatus, CodeObjectNotFound, CodeInferenceTimeout,
		CodeWorkerLost, CodeExpired, CodeCancelled, CodeInternal,
	}
}
