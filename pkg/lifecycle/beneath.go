package lifecycle

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// Beneath runs serve until ctx ends, and the parts that it stands on for as long as
// it takes: they are cancelled with ErrStopping only once serve has returned. A part
// that fails cancels serve.
func Beneath(ctx context.Context, serve func(context.Context) error, parts ...func(context.Context) error) error {
	background, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stop(nil)
	running, background := errgroup.WithContext(background)
	for _, part := range parts {
		running.Go(func() error { return part(background) })
	}
	serving, halt := context.WithCancelCause(ctx)
	defer halt(nil)
	defer context.AfterFunc(background, func() { halt(context.Cause(background)) })()
	err := serve(serving)
	stop(ErrStopping)
	return errors.Join(err, running.Wait())
}
