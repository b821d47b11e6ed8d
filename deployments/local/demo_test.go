package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scripted is a front door that answers what the test wants.
type scripted struct {
	mu             sync.Mutex // guards all below
	refusals       int        // to answer before anything is taken in
	answers        map[string]string
	received       map[string][]byte
	inHand, mostAt int
}

func (s *scripted) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.enter(+1)
	defer s.enter(-1)
	if r.Header.Get("Authorization") != "Bearer mf_test" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPost {
		s.take(w, r)
		return
	}
	_, name, _ := strings.Cut(r.URL.Path, "/v1/detections/")
	s.mu.Lock()
	defer s.mu.Unlock()
	fmt.Fprint(w, s.answers[name])
}

func (s *scripted) enter(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inHand += n
	s.mostAt = max(s.mostAt, s.inHand)
}

func (s *scripted) take(w http.ResponseWriter, r *http.Request) {
	file, header, err := r.FormFile("file")
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	data, err := io.ReadAll(file)
	if err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refusals > 0 {
		s.refusals--
		w.Header().Set("Retry-After", "0")
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `{"code": "queue_full", "detail": "Too many photos are waiting."}`)
		return
	}
	s.received[header.Filename] = data
	if _, known := s.answers[header.Filename]; !known {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		fmt.Fprint(w, `{"code": "unsupported_format", "detail": "The file is not a photo."}`)
		return
	}
	w.WriteHeader(http.StatusAccepted)
	_ = json.NewEncoder(w).Encode(map[string]string{"id": header.Filename, "status": "queued"})
}

func startScripted(t *testing.T, answers map[string]string) (*scripted, *door) {
	t.Helper()
	s := &scripted{answers: answers, received: make(map[string][]byte)}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, newDoor(server.URL, "mf_test")
}

func writePhoto(t *testing.T, dir, name string) demoPhoto {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("bytes of "+name), 0o644); err != nil {
		t.Fatal(err)
	}
	return demoPhoto{path: path, name: name}
}

func succeeded(faces, masked int) string {
	return fmt.Sprintf(`{"status": "succeeded", "num_faces": %d, "num_masked": %d, "num_unmasked": %d, "timing_ms": {"total": 41}}`,
		faces, masked, faces-masked)
}

func TestDemoTellsWhatCameOfEachPhoto(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, d := startScripted(t, map[string]string{
		"good.jpg":   succeeded(3, 2),
		"broken.jpg": `{"status": "failed", "error": {"code": "decode_failed", "message": "The photo is damaged."}}`,
	})
	server.refusals = 2
	photos := []demoPhoto{
		writePhoto(t, dir, "good.jpg"),
		writePhoto(t, dir, "broken.jpg"),
		writePhoto(t, dir, "text.jpg"),
		{path: filepath.Join(dir, "gone.jpg"), name: "gone.jpg"},
		{path: dir, name: "a folder"},
	}
	var out bytes.Buffer
	got := submitAll(t.Context(), d, photos, &progress{out: &out, total: len(photos), every: 1})
	want := []outcome{
		{photo: photos[0], faces: 3, masked: 2, unmasked: 1, took: 41 * time.Millisecond},
		{photo: photos[1], failure: "The photo is damaged. (decode_failed)"},
		{photo: photos[2], failure: "The file is not a photo. (unsupported_format)"},
		{photo: photos[3], failure: "open " + photos[3].path + ": no such file or directory"},
		{photo: photos[4], failure: dir + " is not a file"},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(outcome{}, demoPhoto{})); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if got, want := string(server.received["good.jpg"]), "bytes of good.jpg"; got != want {
		t.Errorf("the front door received %q, want %q", got, want)
	}
	if got := strings.Count(out.String(), "\n"); got != len(photos) {
		t.Errorf("progress has %d lines for %d photos:\n%s", got, len(photos), out.String())
	}
}

func TestDemoKeepsFewPhotosInFlight(t *testing.T) {
	t.Parallel()
	const many = 1200
	dir := t.TempDir()
	answers := make(map[string]string)
	var photos []demoPhoto
	for i := range many {
		name := fmt.Sprintf("%04d.jpg", i)
		answers[name] = succeeded(1, i%2)
		photos = append(photos, writePhoto(t, dir, name))
	}
	server, d := startScripted(t, answers)
	for i, o := range submitAll(t.Context(), d, photos, &progress{out: io.Discard, total: many, every: many}) {
		if o.failure != "" || o.masked != i%2 {
			t.Fatalf("photo %d: %+v", i, o)
		}
	}
	if server.mostAt > demoInFlight {
		t.Errorf("%d requests at once, want at most %d", server.mostAt, demoInFlight)
	}
}

func TestDemoStopsWaitingWhenInterrupted(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "20")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer server.Close()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	time.AfterFunc(50*time.Millisecond, cancel)
	began := time.Now()
	o := newDoor(server.URL, "mf_test").detect(ctx, writePhoto(t, t.TempDir(), "a.jpg"))
	if took := time.Since(began); o.failure == "" || took > 10*time.Second {
		t.Errorf("got %+v after %s, want a failure at once", o, took)
	}
}

func TestFindPhotos(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"a.JPG", "b.jpeg", "deep/c.png", "deep/d.webp", "e.bmp", "notes.txt"} {
		writePhoto(t, dir, name)
	}
	photos, err := findPhotos([]string{dir, filepath.Join(dir, "notes.txt")})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, p := range photos {
		names = append(names, p.name)
	}
	want := []string{"a.JPG", "b.jpeg", "deep/c.png", "deep/d.webp", "e.bmp", "notes.txt"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("photos (-want +got):\n%s", diff)
	}

	empty := t.TempDir()
	if _, err := findPhotos([]string{dir, empty}); err == nil || !strings.Contains(err.Error(), "no photos (.jpg") || !strings.Contains(err.Error(), empty) {
		t.Errorf("got %v for an empty folder, want an error that names it", err)
	}
	if _, err := findPhotos([]string{filepath.Join(dir, "nowhere")}); err == nil {
		t.Error("no error for a path that is not there")
	}
}

func TestPrintOutcomes(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	printOutcomes(steps{&out}, []outcome{
		{photo: demoPhoto{path: "/photos/gate.jpg", name: "gate.jpg"}, faces: 12, masked: 11, unmasked: 1, took: 1234 * time.Millisecond},
		{photo: demoPhoto{path: "/photos/\x1b[31m.jpg", name: "\x1b[31m.jpg"}, faces: 1, unmasked: 1},
		{photo: demoPhoto{path: "/photos/größer.jpg", name: "größer.jpg"}, failure: "The photo is damaged. (decode_failed)"},
	}, 2*time.Second)
	want := `
photo       faces  masked  unmasked  milliseconds
gate.jpg       12      11         1          1234
�[31m.jpg       1       0         1             0
größer.jpg      -       -         -        failed

3 photos in 2.0 s: 13 faces, 11 masked, 2 unmasked, as the detector sees them.
Milliseconds run from a photo's acceptance to its result; they include waiting for those before it.

1 failed:
/photos/größer.jpg: The photo is damaged. (decode_failed)
`
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}
