// Command guest is what runs on an instance of a test: a web server that says what it
// was told by its metadata and its environment, and that can be made ill or busy. It
// must never be part of a deployment.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"sync/atomic"
	"syscall"
	"time"
)

func main() {
	address := flag.String("address", "", "host:port to listen on")
	deaf := flag.Bool("deaf", false, "do not hear SIGTERM")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	if *deaf {
		signal.Ignore(syscall.SIGTERM)
	}
	if err := run(ctx, *address); err != nil {
		fmt.Fprintln(os.Stderr, "guest:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, address string) error {
	server := &http.Server{Addr: address, Handler: handler(), ReadHeaderTimeout: 5 * time.Second}
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = server.Shutdown(limit)
	})
	defer stop()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func handler() http.Handler {
	var status atomic.Int64
	status.Store(http.StatusOK)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(int(status.Load())) })
	mux.HandleFunc("PUT /readyz/{status}", func(_ http.ResponseWriter, r *http.Request) {
		var wanted int64
		_, _ = fmt.Sscan(r.PathValue("status"), &wanted) // a test of ours gives a number
		status.Store(wanted)
	})
	mux.HandleFunc("GET /env/{name}", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv(r.PathValue("name"))) })
	mux.HandleFunc("GET /slow", slow)
	mux.HandleFunc("PUT /busy", func(http.ResponseWriter, *http.Request) { burn() })
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, os.Getenv("GUEST")) })
	return mux
}

// slow begins its answer at once and ends it after the time in ?for.
func slow(w http.ResponseWriter, r *http.Request) {
	wait, err := time.ParseDuration(r.URL.Query().Get("for"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprint(w, os.Getenv("GUEST"))
	_ = http.NewResponseController(w).Flush() // an error here is a client that left
	select {
	case <-time.After(wait):
		fmt.Fprint(w, " done")
	case <-r.Context().Done():
	}
}

// burn keeps every core busy until the process ends.
func burn() {
	var busy atomic.Int64
	for range runtime.NumCPU() {
		go func() {
			for n := 0; ; n++ {
				busy.Store(int64(n))
			}
		}()
	}
}
