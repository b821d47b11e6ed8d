package lifecycle

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

const openAgainAfter = time.Second

// Patiently opens what a program needs at its start, again and again until it works
// or ctx ends: after a power cut everything comes up at once. The error is that of
// the last try.
func Patiently(ctx context.Context, log *slog.Logger, name string, open func() error) error {
	tick := time.NewTicker(openAgainAfter)
	defer tick.Stop()
	for {
		err := open()
		if err == nil {
			return nil
		}
		log.WarnContext(ctx, "not open yet", "name", name, "err", err)
		select {
		case <-ctx.Done():
			return fmt.Errorf("opening %s: %w", name, err)
		case <-tick.C:
		}
	}
}
