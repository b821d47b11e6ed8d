package jobqueue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The errors that callers tell apart.
var (
	// ErrFull means that JOBS is over its limits: the message was not stored.
	ErrFull = errors.New("the queue is full")
	// ErrLive means that a message of this photo lies on the broker or is in a
	// worker's hands, of this publication or an older one; Live says which.
	ErrLive = errors.New("the photo has a live message")
	// ErrDuplicate means that this very publication was stored before and is gone:
	// it was worked on. Only another publication can be stored now. The broker knows
	// it for the duplicate window, and a restarted one not even so long: it may store
	// a stale publication again, whose claim the row then refuses.
	ErrDuplicate = errors.New("this publication was handed over before")
	// ErrUnavailable means that the broker could not be reached or did not answer
	// in time. Whether it did what was asked is unknown.
	ErrUnavailable = errors.New("the broker is unavailable")
	// ErrNoStream means that the broker is there without the streams, which Ensure
	// makes. It is an ErrUnavailable too.
	ErrNoStream = fmt.Errorf("%w: it does not hold the streams", ErrUnavailable)
)

// Error codes of JetStream that the client library does not name.
const (
	codeInsufficientResources jetstream.ErrorCode = 10023
	codeAccountResources      jetstream.ErrorCode = 10002
	codeStorageExceeded       jetstream.ErrorCode = 10047
	codeStoreFailed           jetstream.ErrorCode = 10077 // MaxMsgs and MaxBytes with DiscardNew
)

// classify marks err with the error above that it stands for. A caller that gave
// up says nothing about the broker; a deadline that passed in silence does.
func classify(err error) error {
	switch {
	case err == nil, errors.Is(err, context.Canceled), errors.Is(err, ErrUnavailable):
		return err
	case isNoStream(err):
		return fmt.Errorf("%w: %w", ErrNoStream, err)
	case isUnavailable(err):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	default:
		return err
	}
}

// classifyPublish is classify for what JOBS says to a message.
func classifyPublish(err error) error {
	switch {
	case isWrongSequence(err):
		return fmt.Errorf("%w: %w", ErrLive, err)
	case isFull(err):
		return fmt.Errorf("%w: %w", ErrFull, err)
	default:
		return classify(err)
	}
}

func isNoStream(err error) bool {
	return isOneOf(err,
		nats.ErrNoResponders, jetstream.ErrNoStreamResponse, jetstream.ErrStreamNotFound,
		jetstream.ErrBucketNotFound, jetstream.ErrConsumerNotFound, jetstream.ErrConsumerDoesNotExist,
	)
}

func isUnavailable(err error) bool {
	if e := apiError(err); e != nil {
		return e.Code == http.StatusServiceUnavailable || e.Code == http.StatusTooManyRequests
	}
	var network net.Error
	return errors.As(err, &network) || isOneOf(err,
		context.DeadlineExceeded, io.EOF, nats.ErrTimeout, nats.ErrNoServers, nats.ErrDisconnected,
		nats.ErrConnectionClosed, nats.ErrConnectionReconnecting, nats.ErrConnectionDraining,
		nats.ErrReconnectBufExceeded, nats.ErrStaleConnection, nats.ErrBadSubscription,
		jetstream.ErrServerShutdown, jetstream.ErrInvalidJetStreamResponse,
	)
}

func isWrongSequence(err error) bool {
	return hasCode(err, jetstream.JSErrCodeStreamWrongLastSequence, jetstream.JSErrCodeStreamWrongLastSequenceConstant)
}

func isFull(err error) bool {
	return hasCode(err, codeStoreFailed, codeStorageExceeded, codeInsufficientResources, codeAccountResources)
}

func hasCode(err error, codes ...jetstream.ErrorCode) bool {
	e := apiError(err)
	return e != nil && slices.Contains(codes, e.ErrorCode)
}

// apiError is what JetStream said, nil if the error is not its word.
func apiError(err error) *jetstream.APIError {
	var js jetstream.JetStreamError
	if !errors.As(err, &js) {
		return nil
	}
	return js.APIError()
}

func isOneOf(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
}
