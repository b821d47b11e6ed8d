package fleet

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/time/rate"
)

// read asks AWS something, within the rate and the time allowed.
func (f *Fleet) read(ctx context.Context, operation string, do func(context.Context) error) error {
	return f.call(ctx, operation, f.reads, func() error { return nil }, do)
}

// change is read for what changes something: it does not start unless the lease
// outlasts it.
func (f *Fleet) change(ctx context.Context, lease Lease, operation string, do func(context.Context) error) error {
	return f.call(ctx, operation, f.changes, func() error { return lease.outlasts(f.cfg.CallTimeout) }, do)
}

func (f *Fleet) call(ctx context.Context, operation string, limit *rate.Limiter, may func() error, do func(context.Context) error) error {
	waiting, cancel := context.WithTimeout(ctx, f.cfg.CallTimeout)
	defer cancel()
	if err := limit.Wait(waiting); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("waiting for a turn to %s: %w", operation, err)
		}
		return fmt.Errorf("waiting for a turn to %s: %w: %w", operation, ErrThrottled, err)
	}
	if err := may(); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	limited, cancel := context.WithTimeout(ctx, f.cfg.CallTimeout)
	defer cancel()
	began := time.Now()
	err := do(limited)
	f.metrics.observe(operation, time.Since(began), err)
	if err != nil {
		return fmt.Errorf("%s: %w", operation, classify(ctx, err))
	}
	return nil
}
