package clienttest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"

	"maskfleet/pkg/client"
)

// Key is the API key that a door takes.
const Key = "mf_test"

// Door is a front door. Photos of which the custom_id contains "bad" fail until they
// are retried.
type Door struct {
	URL string
	// Before sees every request first; if it says that it has answered, nothing else
	// happens. Set it before the first request; nil: nothing is special.
	Before func(w http.ResponseWriter, r *http.Request) (answered bool)
	// Finishes says that batches finish at once.
	Finishes bool

	server *httptest.Server

	mu       sync.Mutex // guards everything below
	changed  chan struct{}
	uploads  map[string][]byte // nil until the photo was put
	batches  map[string]*batch
	order    []string // of batches
	hooks    map[string]*hook
	answered map[string]kept
	puts     int
	onEvents func()
}

type kept struct {
	body   string // of the request
	status int
	answer []byte
}

// NewDoor opens a door; prepare may set its fields, and may be nil. The caller closes
// it.
func NewDoor(prepare func(*Door)) *Door {
	d := &Door{
		changed: make(chan struct{}), uploads: make(map[string][]byte),
		batches: make(map[string]*batch), hooks: make(map[string]*hook), answered: make(map[string]kept),
	}
	if prepare != nil {
		prepare(d)
	}
	d.server = httptest.NewServer(d.handler())
	d.URL = d.server.URL
	return d
}

// Close ends the door and what is connected to it.
func (d *Door) Close() {
	d.server.CloseClientConnections()
	d.server.Close()
}

// OnEvents sets what is called whenever an event was sent; nil: nothing.
func (d *Door) OnEvents(call func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onEvents = call
}

// Puts counts the photos that were sent to links.
func (d *Door) Puts() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.puts
}

// Batches gives the ids of all batches in the order in which they were made.
func (d *Door) Batches() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.order)
}

// Items gives the custom ids of a batch, and the bytes of those that were uploaded.
func (d *Door) Items(batchID string) map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	photos := make(map[string][]byte)
	for _, item := range d.batches[batchID].items {
		photos[item.given.CustomID] = d.uploads[item.given.Image.UploadID]
	}
	return photos
}

// Finish ends n more items of a batch, or all of them if n is negative.
func (d *Door) Finish(batchID string, n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches[batchID].finish(n)
	d.tell()
}

// tell wakes who waits for a change; d.mu is held.
func (d *Door) tell() {
	close(d.changed)
	d.changed = make(chan struct{})
}

func (d *Door) handler() http.Handler {
	routes := http.NewServeMux()
	routes.HandleFunc("PUT /s3/{id}", d.put)
	routes.HandleFunc("GET /s3/{id}", d.picture)
	answers := d.webhookRoutes()
	maps.Copy(answers, map[string]func(*http.Request) (int, any){
		"POST /v1/uploads":              d.createUploads,
		"POST /v1/detections":           d.createDetection,
		"GET /v1/detections/{id}":       d.detection,
		"GET /v1/detections/{id}/image": d.image,
		"POST /v1/batches":              d.createBatch,
		"GET /v1/batches":               d.listBatches,
		"GET /v1/batches/{id}":          d.getBatch,
		"GET /v1/batches/{id}/items":    d.listItems,
		"POST /v1/batches/{id}/cancel":  d.cancel,
		"POST /v1/batches/{id}/retry":   d.retry,
		"DELETE /v1/batches/{id}":       d.deleteBatch,
		"GET /v1/limits":                limits,
	})
	for pattern, answer := range answers {
		routes.HandleFunc(pattern, d.answer(answer))
	}
	routes.HandleFunc("GET /v1/batches/{id}/results", d.results)
	routes.HandleFunc("GET /v1/batches/{id}/events", d.events)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.Before != nil && d.Before(w, r) {
			return
		}
		if strings.HasPrefix(r.URL.Path, "/v1/") && r.Header.Get("Authorization") != "Bearer "+Key {
			Refuse(w, http.StatusUnauthorized, "unauthenticated", "The key is missing or not valid.")
			return
		}
		routes.ServeHTTP(w, r)
	})
}

// answer makes a handler of a function that gives a status and what becomes JSON: a
// string instead is the code of a refusal. It keeps the answers to POSTs by their
// idempotency keys.
func (d *Door) answer(give func(*http.Request) (int, any)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		d.mu.Lock()
		defer d.mu.Unlock()
		key := r.URL.Path + " " + r.Header.Get("Idempotency-Key")
		if before, again := d.answered[key]; again && r.Method == http.MethodPost {
			if before.body != string(body) {
				Refuse(w, http.StatusUnprocessableEntity, "idempotency_mismatch", "The key was used for another request.")
				return
			}
			w.Header().Set("Idempotent-Replayed", "true")
			reply(w, before.status, before.answer)
			return
		}
		status, answer := give(r)
		if code, refused := answer.(string); refused {
			Refuse(w, status, code, "It is refused.")
			return
		}
		data, err := json.Marshal(answer)
		if err != nil {
			panic(err)
		}
		if r.Method == http.MethodPost && r.Header.Get("Idempotency-Key") != "" {
			d.answered[key] = kept{body: string(body), status: status, answer: data}
		}
		if to, ok := answer.(redirect); ok {
			w.Header().Set("Location", string(to))
		}
		reply(w, status, data)
	}
}

type redirect string

func reply(w http.ResponseWriter, status int, data []byte) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(data)
}

// Refuse answers with a problem document.
func Refuse(w http.ResponseWriter, status int, code, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{
		"type": "/docs/errors#" + code, "title": http.StatusText(status), "status": status,
		"detail": detail, "code": code, "request_id": "r-1",
	})
}

func (d *Door) createUploads(r *http.Request) (int, any) {
	var asked struct {
		Files []client.UploadFile `json:"files"`
	}
	if json.NewDecoder(r.Body).Decode(&asked) != nil || len(asked.Files) == 0 || len(asked.Files) > maxUploads {
		return http.StatusBadRequest, "invalid_request"
	}
	links := make([]client.Upload, len(asked.Files))
	for i, file := range asked.Files {
		id := fmt.Sprintf("u%d", len(d.uploads)+1)
		d.uploads[id] = nil
		links[i] = client.Upload{
			ID: id, Filename: file.Filename, Method: http.MethodPut,
			URL:     "http://" + r.Host + "/s3/" + id + "?X-Amz-Signature=secret",
			Headers: map[string]string{"Content-Type": file.ContentType},
		}
		links[i].ExpiresAt, links[i].KeptUntil = linkEnds()
	}
	return http.StatusCreated, map[string]any{"data": links, "next_page_token": nil}
}

func (d *Door) put(w http.ResponseWriter, r *http.Request) {
	data, err := io.ReadAll(r.Body)
	d.mu.Lock()
	defer d.mu.Unlock()
	id := r.PathValue("id")
	_, known := d.uploads[id]
	switch {
	case err != nil: // the client is gone
	case !known || r.Header.Get("Authorization") != "" || r.URL.Query().Get("X-Amz-Signature") != "secret":
		http.Error(w, "<Error><Code>AccessDenied</Code></Error>", http.StatusForbidden)
	default:
		d.uploads[id] = append([]byte{}, data...)
		d.puts++
	}
}

func (d *Door) picture(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "two permissions at once", http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "image/jpeg")
	_, _ = io.WriteString(w, "picture of "+r.PathValue("id")) //nolint:gosec // no browser looks at it
}

// known lists what a map holds, sorted, for answers in a steady order.
func known[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
