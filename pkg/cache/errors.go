package cache

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"
)

// ErrUnavailable means that Redis could not be reached, did not answer in time or
// could not serve just now. Whether the call took effect is unknown.
var ErrUnavailable = errors.New("redis is unavailable")

// classify marks err with ErrUnavailable where the fault is not the call's own.
func classify(ctx context.Context, err error) error {
	// A caller that went away says nothing about Redis.
	if errors.Is(ctx.Err(), context.Canceled) {
		return err
	}
	var reply redis.Error
	if errors.As(err, &reply) && !passing(err) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnavailable, err)
}

// passing says that Redis itself answered, but cannot serve just now: it loads its
// data, is full, or follows another that is away.
func passing(err error) bool {
	return slices.ContainsFunc([]func(error) bool{
		redis.IsLoadingError, redis.IsOOMError, redis.IsReadOnlyError, redis.IsMasterDownError,
		redis.IsClusterDownError, redis.IsTryAgainError, redis.IsMaxClientsError, redis.IsNoReplicasError,
	}, func(is func(error) bool) bool { return is(err) })
}
