package ingest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"maskfleet/pkg/webhook"
)

// receiver is an endpoint of somebody else's. It answers 204 unless it is told
// otherwise.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex // guards the rest
	answer http.HandlerFunc
	got    []posted
}

// posted is a message as it came.
type posted struct {
	header http.Header
	body   []byte
}

func (p posted) id() string { return p.header.Get(webhook.HeaderID) }

func newReceiver(t *testing.T, answer http.HandlerFunc) *receiver {
	t.Helper()
	r := &receiver{answer: answer}
	r.Server = httptest.NewServer(r.handler())
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		r.mu.Lock()
		r.got = append(r.got, posted{req.Header.Clone(), body})
		answer := r.answer
		r.mu.Unlock()
		if answer == nil {
			w.WriteHeader(http.StatusNoContent)
			return
		}
		answer(w, req)
	})
}

func (r *receiver) all() []posted {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

func (r *receiver) setAnswer(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "as told", code) }
}

// mustVerify fails the test unless every message is signed with each of the secrets.
func (r *receiver) mustVerify(t *testing.T, secrets ...string) {
	t.Helper()
	for _, p := range r.all() {
		for _, secret := range secrets {
			if err := webhook.Verify([]string{secret}, p.header, p.body, time.Now()); err != nil {
				t.Errorf("message %s: %v", p.id(), err)
			}
		}
	}
}
