package lifecycle

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// ErrStopping is the cause of contexts that a soft stop cancelled. Work that ends
// with it was interrupted and has not failed.
var ErrStopping = errors.New("stopping")

// ErrDone is what a part returns whose end is that of the program, and no failure.
var ErrDone = errors.New("done")

// Run starts every part and returns when all have returned. SIGTERM, SIGINT or the
// first part that fails cancels their contexts with ErrStopping. From then on the
// signals have their default effect again, so a second one ends the process at
// once. A part that returns nil ends alone; one that returns ErrDone ends all, without
// an error. The error is that of the first part that failed.
func Run(log *slog.Logger, parts ...func(context.Context) error) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	defer signal.Stop(signals)
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)

	var (
		parted sync.WaitGroup
		once   sync.Once
		failed error
		stop   = func(why string, err error) {
			once.Do(func() {
				failed = err
				log.Info("stopping", "reason", why, "err", err)
				signal.Stop(signals)
				cancel(ErrStopping)
			})
		}
	)
	for _, part := range parts {
		parted.Go(func() {
			switch err := part(ctx); {
			case errors.Is(err, ErrDone):
				stop("a part is done", nil)
			case err != nil && !errors.Is(err, ErrStopping):
				stop("a part failed", err)
			}
		})
	}
	done := make(chan struct{})
	go func() {
		parted.Wait()
		close(done)
	}()
	select {
	case s := <-signals:
		stop("signal "+s.String(), nil)
		<-done
	case <-done:
	}
	return failed
}
