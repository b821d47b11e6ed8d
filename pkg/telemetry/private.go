package telemetry

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	privateReadTimeout = 10 * time.Second
	privateCloseWait   = time.Second
)

// Run serves /metrics and /debug/pprof/ on the private address until ctx ends and
// then returns nil. Without an address it only waits.
func (t *Telemetry) Run(ctx context.Context) error {
	if t.privateListen == "" {
		<-ctx.Done()
		return nil
	}
	var listen net.ListenConfig
	ln, err := listen.Listen(ctx, "tcp", t.privateListen)
	if err != nil {
		return fmt.Errorf("opening the private listener: %w", err)
	}
	t.Log.InfoContext(ctx, "private listener open", "address", ln.Addr().String())
	server := &http.Server{Handler: t.Handler(), ReadHeaderTimeout: privateReadTimeout}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	select {
	case err := <-ended:
		return fmt.Errorf("serving the private listener: %w", err)
	case <-ctx.Done():
	}
	deadline, cancel := context.WithTimeout(context.WithoutCancel(ctx), privateCloseWait)
	defer cancel()
	if err := server.Shutdown(deadline); errors.Is(err, context.DeadlineExceeded) {
		return server.Close() // somebody still records a profile
	}
	return nil
}

// Handler answers what the private listener serves.
func (t *Telemetry) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(t.Registry, promhttp.HandlerOpts{Registry: t.Registry}))
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	return mux
}
