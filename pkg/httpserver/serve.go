package httpserver

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/gofiber/fiber/v2"
)

// Once traffic is to end, requests in hand get requestGrace, then their contexts are
// cancelled and they get abortGrace.
const (
	requestGrace = 10 * time.Second
	abortGrace   = 2 * time.Second
)

// Listen opens the address that cfg names, for HTTPS if it names a certificate, and
// logs it. A listener that only redirects ends with ctx.
func Listen(ctx context.Context, cfg Config, log *slog.Logger) (net.Listener, error) {
	var listen net.ListenConfig
	ln, err := listen.Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("listening for HTTP: %w", err)
	}
	secured, err := cfg.TLS.secured(ctx, ln, log)
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	log.InfoContext(ctx, "listening for HTTP", "address", ln.Addr().String(), "tls", cfg.TLS.CertFile != "")
	return secured, nil
}

// Serve answers on ln until ctx ends. Then /readyz turns 503 at once, requests are
// served on for linger so that a balancer notices, closeStreams (or nil) and every
// Stream end, and requests in hand finish. It returns nil after a stop, even if some
// connection had to be cut.
func Serve(ctx context.Context, app *fiber.App, ln net.Listener, health *Health, linger time.Duration, closeStreams func()) error {
	ended := make(chan error, 1)
	go func() { ended <- app.Listener(ln) }()
	select {
	case err := <-ended:
		return stopped(err)
	case <-ctx.Done():
	}
	health.SetDraining()
	select {
	case err := <-ended:
		return stopped(err)
	case <-time.After(linger):
	}
	health.EndStreams()
	if closeStreams != nil {
		closeStreams()
	}
	err := app.ShutdownWithTimeout(requestGrace)
	health.endRequests()
	if errors.Is(err, context.DeadlineExceeded) {
		err = app.ShutdownWithTimeout(abortGrace)
	}
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("shutting the HTTP server down: %w", err)
	}
	return nil
}

func stopped(err error) error {
	if err != nil {
		return fmt.Errorf("serving HTTP: %w", err)
	}
	return errors.New("serving HTTP: the listener was closed")
}
