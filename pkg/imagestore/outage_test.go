package imagestore_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/testenv"
)

// calls is every call that asks S3.
func calls(store *imagestore.Store) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Ping":   store.Ping,
		"Put":    func(ctx context.Context) error { return store.Put(ctx, "day/photo", "image/jpeg", []byte("bytes")) },
		"Get":    func(ctx context.Context) error { _, err := store.Get(ctx, "day/photo", 10); return err },
		"Delete": func(ctx context.Context) error { return store.Delete(ctx, "day/other") },
	}
}

func TestS3Away(t *testing.T) {
	t.Parallel()
	server := testenv.NewS3(t)
	cfg := server.Bucket(t)
	store := open(t, cfg)
	put(t, store, "day/photo", []byte("bytes"))

	for name, stop := range map[string]func(){"killed": server.Kill, "stopped": server.Stop} {
		stop()
		away := calls(store)
		away["Open"] = func(ctx context.Context) error { _, err := imagestore.Open(ctx, cfg); return err }
		var all sync.WaitGroup
		for call, try := range away {
			all.Go(func() {
				began := time.Now()
				if err := try(t.Context()); !errors.Is(err, imagestore.ErrUnavailable) {
					t.Errorf("%s, %s: got %v, want ErrUnavailable", name, call, err)
				}
				if took := time.Since(began); took > 10*time.Second {
					t.Errorf("%s, %s: took %s to notice", name, call, took)
				}
			})
		}
		all.Wait()
		server.Start(t)
		for call, try := range calls(store) {
			if err := try(t.Context()); err != nil {
				t.Errorf("after it was %s, %s: %v", name, call, err)
			}
		}
	}
	if got, err := store.Get(t.Context(), "day/photo", 10); err != nil || string(got) != "bytes" {
		t.Errorf("the object did not survive: %q, %v", got, err)
	}
}

func TestS3Frozen(t *testing.T) {
	t.Parallel()
	server := testenv.NewS3(t)
	store := open(t, server.Bucket(t))
	server.Freeze()
	if err := store.Ping(t.Context()); !errors.Is(err, imagestore.ErrUnavailable) {
		t.Errorf("frozen: got %v, want ErrUnavailable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := store.Ping(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, imagestore.ErrUnavailable) {
		t.Errorf("a caller that went away: got %v", err)
	}
	server.Thaw()
	if err := store.Ping(t.Context()); err != nil {
		t.Errorf("thawed: %v", err)
	}
}

// What a healthy server cannot be brought to say comes from one that says only it.
func TestAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		status int
		body   string
		want   error
		asked  int32 // times
	}{
		{"throttled", 503, `<Error><Code>SlowDown</Code></Error>`, imagestore.ErrUnavailable, 3},
		{"too many requests", 429, ``, imagestore.ErrUnavailable, 1},
		{"internal error", 500, `<Error><Code>InternalError</Code></Error>`, imagestore.ErrUnavailable, 3},
		{"bad gateway", 502, `<html>`, imagestore.ErrUnavailable, 3},
		{"slow sender", 400, `<Error><Code>RequestTimeout</Code></Error>`, imagestore.ErrUnavailable, 3},
		{"clock is wrong", 403, `<Error><Code>RequestTimeTooSkewed</Code></Error>`, imagestore.ErrDenied, 0},
		{"denied", 403, `<Error><Code>AccessDenied</Code></Error>`, imagestore.ErrDenied, 1},
		{"no such bucket", 404, `<Error><Code>NoSuchBucket</Code></Error>`, imagestore.ErrNoBucket, 1},
		{"no such key", 404, `<Error><Code>NoSuchKey</Code></Error>`, imagestore.ErrNotFound, 1},
		{"plain 404", 404, ``, imagestore.ErrNotFound, 1},
		{"bad request", 400, `<Error><Code>InvalidRequest</Code></Error>`, nil, 1},
		{"redirect", 301, `<Error><Code>PermanentRedirect</Code></Error>`, nil, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodHead {
					return // to Open
				}
				asked.Add(1)
				if c.status == 301 {
					w.Header().Set("Location", "http://127.0.0.1:1/")
				}
				w.WriteHeader(c.status)
				_, _ = w.Write([]byte(c.body))
			}))
			defer server.Close()
			store := open(t, imagestore.Config{Endpoint: server.URL, Bucket: "b", Region: "r", AccessKey: "a", SecretKey: "s", PathStyle: true})
			_, err := store.Get(t.Context(), "day/photo", 10)
			if err == nil {
				t.Fatal("no error")
			}
			kinds := []error{imagestore.ErrNotFound, imagestore.ErrUnavailable, imagestore.ErrDenied, imagestore.ErrNoBucket, imagestore.ErrTooLarge}
			for _, kind := range kinds {
				if errors.Is(err, kind) != errors.Is(kind, c.want) {
					t.Errorf("got %v, want it to be %v and nothing else", err, c.want)
				}
			}
			if c.asked != 0 && asked.Load() != c.asked {
				t.Errorf("asked %d times, want %d", asked.Load(), c.asked)
			}
		})
	}
}

// A body without a length, or one that ends early, must not get past the limit.
func TestGetBodies(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		want   error
	}{
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for range 1000 {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
			}
		}, imagestore.ErrTooLarge},
		"cut short": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("123"))
		}, imagestore.ErrUnavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodGet {
					c.answer(w, r)
				}
			}))
			defer server.Close()
			store := open(t, imagestore.Config{Endpoint: server.URL, Bucket: "b", Region: "r", AccessKey: "a", SecretKey: "s", PathStyle: true})
			if _, err := store.Get(t.Context(), "day/photo", 10); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// AWS takes a thousand keys at once; the server of the tests takes more.
func TestDeleteAsksForAThousandAtMost(t *testing.T) {
	t.Parallel()
	var asked []int
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		if r.Method == http.MethodPost {
			asked = append(asked, bytes.Count(body, []byte("<Key>")))
			_, _ = io.WriteString(w, `<DeleteResult><Error><Key>day/photo</Key><Code>SlowDown</Code></Error></DeleteResult>`)
		}
	}))
	defer server.Close()
	store := open(t, imagestore.Config{Endpoint: server.URL, Bucket: "b", Region: "r", AccessKey: "a", SecretKey: "s", PathStyle: true})
	err := store.Delete(t.Context(), slices.Repeat([]string{"day/photo"}, 2001)...)
	if !errors.Is(err, imagestore.ErrUnavailable) {
		t.Errorf("one key was refused: got %v, want ErrUnavailable", err)
	}
	if want := []int{1000, 1000, 1}; !slices.Equal(asked, want) {
		t.Errorf("asked for %v keys, want %v", asked, want)
	}
}
