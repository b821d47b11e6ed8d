package client

import (
	"context"
	"errors"
)

// mostBroken is how often in a row a stream may break before anything new came.
const mostBroken = 5

// errEnough is what a stream ends with because its reader wants no more of it.
var errEnough = errors.New("the loop over the stream has ended")

// cutError is a stream that broke off.
type cutError struct{ err error }

func (e *cutError) Error() string { return "the stream broke off: " + e.err.Error() }
func (e *cutError) Unwrap() error { return e.err }

// reopening runs a stream anew as long as it breaks off and something new came of
// it. stream says whether it did.
func (c *Client) reopening(ctx context.Context, stream func() (progress bool, err error)) error {
	for broken := 0; ; broken++ {
		progress, err := stream()
		if progress {
			broken = 0
		}
		var cut *cutError
		switch {
		case err == nil || errors.Is(err, errEnough):
			return err
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case !errors.As(err, &cut) || broken >= mostBroken || c.patience < 0:
			return err
		}
		wait, _ := nextPause(err, broken)
		c.retrying(err, wait)
		if err := c.pause(ctx, wait); err != nil {
			return err
		}
	}
}
