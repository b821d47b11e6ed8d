package faults

import (
	"context"
	"encoding/json"
	"net/http"
	"time"
)

// actions are what is done once instead of holding.
type actions interface {
	SpotNotice(ctx context.Context, instance, action string, after time.Duration) error
	LoseTargetGroup(name string) error
	// Freeze says that lists are frozen from now on.
	Freeze()
}

// Handler takes the requests of the control address:
//
//	GET    /faults                        what holds now
//	POST   /faults                        a Fault as JSON
//	DELETE /faults[?kind=KIND]            take one kind back, or all
//	POST   /instances/{id}/spot-notice    {"action": "terminate", "after": "2m"}
//	DELETE /target-groups/{name}          as if somebody else had deleted it
func Handler(s *Set, do actions) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /faults", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(s.List()) // an error here is a client that left
	})
	mux.HandleFunc("POST /faults", func(w http.ResponseWriter, r *http.Request) {
		var f Fault
		if !read(w, r, &f) {
			return
		}
		if f.Kind == Frozen {
			do.Freeze()
		}
		answer(w, s.Put(f))
	})
	mux.HandleFunc("DELETE /faults", func(w http.ResponseWriter, r *http.Request) {
		s.Clear(Kind(r.URL.Query().Get("kind")))
		answer(w, nil)
	})
	mux.HandleFunc("POST /instances/{id}/spot-notice", func(w http.ResponseWriter, r *http.Request) {
		var notice struct{ Action, After string }
		if !read(w, r, &notice) {
			return
		}
		after, err := time.ParseDuration(notice.After)
		if err == nil {
			err = do.SpotNotice(r.Context(), r.PathValue("id"), notice.Action, after)
		}
		answer(w, err)
	})
	mux.HandleFunc("DELETE /target-groups/{name}", func(w http.ResponseWriter, r *http.Request) {
		answer(w, do.LoseTargetGroup(r.PathValue("name")))
	})
	return mux
}

// read refuses what it does not know, so that a fault that is misspelt is no fault
// that silently never comes.
func read(w http.ResponseWriter, r *http.Request, to any) bool {
	const mostBytes = 1 << 16
	in := json.NewDecoder(http.MaxBytesReader(w, r.Body, mostBytes))
	in.DisallowUnknownFields()
	if err := in.Decode(to); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return false
	}
	return true
}

func answer(w http.ResponseWriter, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
