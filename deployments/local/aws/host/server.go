package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/netip"
	"os"
	"time"
)

// readLimit is for a question to be read; a shutdown may take longer to be answered.
const readLimit = 5 * time.Second

// Serve answers the stand-in at a socket that only its own user can reach, until ctx
// ends. Only one may serve a socket at a time; a dead one's is taken over.
func (h *Host) Serve(ctx context.Context, socket string) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("taking the socket over: %w", err)
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return fmt.Errorf("listening: %w", err)
	}
	if err := os.Chmod(socket, 0o600); err != nil {
		return errors.Join(err, listener.Close())
	}
	server := &http.Server{Handler: h.handler(), ReadHeaderTimeout: readLimit}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serving the host: %w", err)
	}
	return nil
}

// boundary is what the host says of itself.
type boundary struct {
	Network netip.Prefix `json:"network"`
}

func (h *Host) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) { respond(w, boundary{h.Network()}) })
	mux.HandleFunc("GET /machines", func(w http.ResponseWriter, _ *http.Request) { respond(w, h.Machines()) })
	mux.HandleFunc("PUT /machines/{id}", func(w http.ResponseWriter, r *http.Request) {
		var spec Spec
		if !read(w, r, &spec) {
			return
		}
		if err := h.Boot(spec); err != nil {
			http.Error(w, err.Error(), http.StatusConflict)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	mux.HandleFunc("PUT /machines/{id}/metadata", func(w http.ResponseWriter, r *http.Request) {
		var metadata Metadata
		if read(w, r, &metadata) {
			h.Tell(r.PathValue("id"), metadata)
			w.WriteHeader(http.StatusNoContent)
		}
	})
	mux.HandleFunc("DELETE /machines/{id}", func(w http.ResponseWriter, r *http.Request) {
		limit, err := time.ParseDuration(r.URL.Query().Get("limit"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		// The shutdown goes on when the stand-in dies meanwhile.
		h.ShutDown(context.WithoutCancel(r.Context()), r.PathValue("id"), limit)
		w.WriteHeader(http.StatusNoContent)
	})
	return mux
}

func read(w http.ResponseWriter, r *http.Request, to any) bool {
	const mostBytes = 1 << 20
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBytes)).Decode(to); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func respond(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value) // an error here is a client that left
}
