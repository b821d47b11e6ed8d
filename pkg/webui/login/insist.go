package login

import (
	"context"
	"errors"
	"time"

	"maskfleet/pkg/cache"
)

const (
	insistFor   = 2 * time.Second
	insistEvery = 50 * time.Millisecond
)

// insist asks Redis again for a while. The cache gives up after a moment, for most
// of what it holds can be had elsewhere; a session cannot.
func insist(ctx context.Context, ask func(context.Context) error) error {
	patience, cancel := context.WithTimeout(ctx, insistFor)
	defer cancel()
	for {
		err := ask(ctx)
		if !errors.Is(err, cache.ErrUnavailable) {
			return err
		}
		select {
		case <-patience.Done():
			return err
		case <-time.After(insistEvery):
		}
	}
}
