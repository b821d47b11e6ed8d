package client

import (
	"context"
	"time"
)

// RecordPauses makes the client note how long it would wait instead of waiting.
func RecordPauses(c *Client, note func(time.Duration)) {
	c.pause = func(ctx context.Context, d time.Duration) error {
		note(d)
		return ctx.Err()
	}
}

// EndSilenceAfter sets how long an event stream may be silent.
func EndSilenceAfter(c *Client, d time.Duration) { c.silence = d }
