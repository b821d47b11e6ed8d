package fleet

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
	// ErrLease means that a call was not started because the lease may be over before
	// it ends.
	ErrLease = errors.New("the lease is too short for a call")
	// ErrEmptyList means that EC2 showed no instance although there is a sign of some.
	ErrEmptyList = errors.New("ec2 lists no instance, which cannot be")
	// ErrForeign means that an instance is not one of the pool.
	ErrForeign = errors.New("instance is not of the pool")
	// ErrBootsFail means that nothing is launched because the last boots all failed.
	ErrBootsFail = errors.New("instances do not boot: launching is suspended")
	// ErrNoCapacity means that no type in any zone can be had at the moment.
	ErrNoCapacity = errors.New("no capacity")
	// ErrLimit means that the account may not have more instances, which somebody must
	// ask AWS to change.
	ErrLimit = errors.New("the account's limit is reached")
	// ErrThrottled means that too much is asked for in too short a time.
	ErrThrottled = errors.New("aws asks for less haste")
	// ErrExpiredCredentials means that the credentials were good once.
	ErrExpiredCredentials = errors.New("aws credentials have expired")
	// ErrDenied means that AWS refuses our credentials or their permissions.
	ErrDenied = errors.New("aws denies access")
	// ErrRefused means that what is asked for cannot be: a mistake in the settings.
	ErrRefused = errors.New("aws refuses the request")
	// ErrNotFound means that AWS does not know an instance, or not yet.
	ErrNotFound = errors.New("instance not found")
	// ErrProtected means that somebody has protected an instance from being ended.
	ErrProtected = errors.New("instance is protected")
	// ErrNoTargetGroup means that the target group is gone.
	ErrNoTargetGroup = errors.New("target group not found")
	// ErrUnavailable means that AWS could not be reached or did not answer in time.
	// Whether a change took effect is unknown.
	ErrUnavailable = errors.New("aws is unavailable")
)

// errSpent means that the instances of a client token have ended meanwhile, or that
// the token stands for something else.
var errSpent = errors.New("client token is spent")

// classify marks an error of a client with the error that callers tell apart.
func classify(ctx context.Context, err error) error {
	if err == nil || errors.Is(ctx.Err(), context.Canceled) { // a caller that went away says nothing about AWS
		return err
	}
	return fmt.Errorf("%w: %w", kindOf(err), err)
}

func kindOf(err error) error {
	var answer smithy.APIError
	if errors.As(err, &answer) {
		if kind := kindOfCode(answer.ErrorCode()); kind != nil {
			return kind
		}
	}
	var response *smithyhttp.ResponseError
	var network net.Error
	switch {
	case errors.As(err, &response) && response.HTTPStatusCode() == http.StatusTooManyRequests:
		return ErrThrottled
	case errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusInternalServerError,
		errors.As(err, &network), errors.Is(err, context.DeadlineExceeded), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrUnavailable
	case errors.As(err, &response) && response.HTTPStatusCode() >= http.StatusBadRequest:
		return ErrRefused
	default:
		return ErrUnavailable
	}
}

// kindOfCode reads the codes of the three services that say more than their status.
func kindOfCode(code string) error {
	is := func(codes ...string) bool { return slices.Contains(codes, code) }
	switch {
	case is("InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientReservedInstanceCapacity", "InsufficientCapacity",
		"InsufficientFreeAddressesInSubnet", "SpotMaxPriceTooLow", "Unsupported"): // the last: not in this zone
		return ErrNoCapacity
	case is("InstanceLimitExceeded", "VcpuLimitExceeded", "MaxSpotInstanceCountExceeded"):
		return ErrLimit
	case is("RequestLimitExceeded", "Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException",
		"EC2ThrottledException", "TooManyRequestsException", "SlowDown", "PriorRequestNotComplete"):
		return ErrThrottled
	case is("ExpiredToken", "ExpiredTokenException", "RequestExpired"):
		return ErrExpiredCredentials
	case is("UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthFailure", "InvalidClientTokenId", "SignatureDoesNotMatch",
		"MissingAuthenticationToken", "UnrecognizedClientException", "OptInRequired"):
		return ErrDenied
	case is("InvalidInstanceID.NotFound", "InvalidTarget"):
		return ErrNotFound
	case is("TargetGroupNotFound"):
		return ErrNoTargetGroup
	case is("OperationNotPermitted"):
		return ErrProtected
	case is("IdempotentParameterMismatch", "IdempotentInstanceTerminated"):
		return errSpent
	case is("InternalError", "InternalFailure", "InternalServiceError", "ServiceUnavailable", "Unavailable", "ServerInternal"):
		return ErrUnavailable
	}
	return nil
}

// conclusive says that the error of a launch that was never asked for before means that
// there is no instance of it. The others may hide an earlier try that did launch and
// whose answer was lost.
func conclusive(err error) bool {
	return conclusiveAgain(err) || isOneOf(err, ErrRefused, ErrDenied)
}

// conclusiveAgain is conclusive for a launch that may have been asked for before: who
// may not repeat it, or not in these words any more, learns nothing of the first time.
func conclusiveAgain(err error) bool {
	return isOneOf(err, ErrNoCapacity, ErrLimit)
}
