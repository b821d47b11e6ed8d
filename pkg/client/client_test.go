package client_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/clienttest"
)

func openDoor(t *testing.T, prepare func(*clienttest.Door)) (*clienttest.Door, *client.Client) {
	t.Helper()
	door := clienttest.NewDoor(prepare)
	t.Cleanup(door.Close)
	return door, newClient(t, door.URL)
}

func newClient(t *testing.T, url string) *client.Client {
	t.Helper()
	c, err := client.New(client.Config{URL: url, Key: clienttest.Key, Patience: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	client.RecordPauses(c, func(time.Duration) {})
	return c
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]client.Config{
		"no address":   {Key: "mf_x"},
		"no scheme":    {URL: "maskfleet.example.com", Key: "mf_x"},
		"other scheme": {URL: "ftp://example.com", Key: "mf_x"},
		"no key":       {URL: "https://example.com"},
	} {
		if _, err := client.New(cfg); err == nil {
			t.Errorf("%s: it was accepted", name)
		}
	}
}

func TestRefusalsForNowAreRepeated(t *testing.T) {
	t.Parallel()
	for name, refuse := range map[string]func(http.ResponseWriter){
		"queue full": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "7")
			clienttest.Refuse(w, http.StatusServiceUnavailable, "queue_full", "Later.")
		},
		"too many requests": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", time.Now().Add(8*time.Second).UTC().Format(http.TimeFormat))
			clienttest.Refuse(w, http.StatusTooManyRequests, "rate_limited", "Later.")
		},
		"the first of us is still being answered": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "7")
			clienttest.Refuse(w, http.StatusConflict, "idempotency_in_progress", "Later.")
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int32
			_, c := openDoor(t, func(d *clienttest.Door) {
				d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
					if asked.Add(1) > 2 {
						return false
					}
					refuse(w)
					return true
				}
			})
			var pauses []time.Duration
			client.RecordPauses(c, func(d time.Duration) { pauses = append(pauses, d) })
			if _, err := c.CreateBatch(t.Context(), []client.Item{{CustomID: "a"}}); err != nil {
				t.Fatal(err)
			}
			if len(pauses) != 2 {
				t.Fatalf("waited %d times, want 2", len(pauses))
			}
			for _, p := range pauses {
				if p < 6*time.Second || p > 9*time.Second {
					t.Errorf("waited %s, want about what Retry-After said", p)
				}
			}
		})
	}
}

func TestRefusalsForGoodAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 409, 410, 413, 415, 422, 500} {
		var asked atomic.Int32
		_, c := openDoor(t, func(d *clienttest.Door) {
			d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
				asked.Add(1)
				clienttest.Refuse(w, status, "some_code", "It is refused.")
				return true
			}
		})
		_, err := c.CreateBatchFromS3(t.Context(), "s3://b/")
		var refused *client.APIError
		if !errors.As(err, &refused) || refused.Status != status || refused.Code != "some_code" || refused.RequestID != "r-1" {
			t.Errorf("%d: got %v", status, err)
		}
		if asked.Load() != 1 {
			t.Errorf("%d: asked %d times", status, asked.Load())
		}
	}
}

func TestRetryingIsTold(t *testing.T) {
	t.Parallel()
	var asked, told atomic.Int32
	door, _ := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			if asked.Add(1) > 2 {
				return false
			}
			panic(http.ErrAbortHandler)
		}
	})
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key, Retrying: func(err error, after time.Duration) {
		if err == nil || after <= 0 {
			t.Errorf("told %v, %s", err, after)
		}
		told.Add(1)
	}})
	if err != nil {
		t.Fatal(err)
	}
	client.RecordPauses(c, func(time.Duration) {})
	if _, err := c.Limits(t.Context()); err != nil || told.Load() != 2 {
		t.Errorf("told %d times, %v; want 2", told.Load(), err)
	}
}

func TestPatienceEnds(t *testing.T) {
	t.Parallel()
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			w.Header().Set("Retry-After", "3600")
			clienttest.Refuse(w, http.StatusServiceUnavailable, "unavailable", "Later.")
			return true
		}
	})
	_, err := c.Limits(t.Context())
	var refused *client.APIError
	if !errors.As(err, &refused) || refused.RetryAfter != time.Hour {
		t.Errorf("got %v", err)
	}
}

// TestBrokenConnectionMakesNoSecondBatch: the batch was made, its answer lost.
func TestBrokenConnectionMakesNoSecondBatch(t *testing.T) {
	t.Parallel()
	var once sync.Once
	door, _ := openDoor(t, nil)
	transport := &http.Transport{DisableKeepAlives: true}
	through := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		to, err := http.NewRequestWithContext(r.Context(), r.Method, door.URL+r.URL.Path, r.Body)
		if err != nil {
			t.Error(err)
			return
		}
		to.Header = r.Header
		answer, err := transport.RoundTrip(to)
		if err != nil {
			t.Error(err)
			return
		}
		defer answer.Body.Close()
		once.Do(func() { panic(http.ErrAbortHandler) })
		w.WriteHeader(answer.StatusCode)
		_, _ = io.Copy(w, answer.Body)
	}))
	defer through.Close()
	c := newClient(t, through.URL)
	b, err := c.CreateBatch(t.Context(), []client.Item{{CustomID: "a"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{b.ID}, door.Batches()); diff != "" {
		t.Errorf("batches (-got +made):\n%s", diff)
	}
}

func TestCancelledContextEndsTheWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			cancel(enough)
			clienttest.Refuse(w, http.StatusServiceUnavailable, "unavailable", "Later.")
			return true
		}
	})
	if _, err := c.Limits(ctx); !errors.Is(err, enough) {
		t.Errorf("got %v, want the context's cause", err)
	}
}

func TestAnswerOfSomethingInBetween(t *testing.T) {
	t.Parallel()
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			http.Error(w, "<h1>Forbidden</h1>", http.StatusForbidden)
			return true
		}
	})
	_, err := c.Limits(t.Context())
	if err == nil || err.Error() != "Forbidden (403)" {
		t.Errorf("got %v", err)
	}
}

func TestPicturesDoNotSeeTheKey(t *testing.T) {
	t.Parallel()
	_, c := openDoor(t, nil)
	picture, err := c.Picture(t.Context(), "d1", client.Annotated)
	if err != nil {
		t.Fatal(err)
	}
	defer picture.Close()
	if data, err := io.ReadAll(picture); err != nil || string(data) != "picture of d1" {
		t.Errorf("got %q, %v", data, err)
	}
}

func TestFileIsSentWholeAsAForm(t *testing.T) {
	t.Parallel()
	photo := bytes.Repeat([]byte("photo"), 50_000)
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, r *http.Request) bool {
			file, header, err := r.FormFile("file")
			if err != nil {
				t.Error(err)
				return false
			}
			data, err := io.ReadAll(file)
			if err != nil || !bytes.Equal(data, photo) || header.Filename != "ein \"Foto\".jpg" {
				t.Errorf("got %d bytes named %q, %v", len(data), header.Filename, err)
			}
			if r.Header.Get("Prefer") != "wait=3" || r.Header.Get("Idempotency-Key") == "" {
				t.Errorf("headers: %v", r.Header)
			}
			return false
		}
	})
	if _, err := c.DetectFile(t.Context(), "ein \"Foto\".jpg", client.FromBytes(photo), 2500*time.Millisecond); err != nil {
		t.Error(err)
	}
}

func TestFileThatShrankIsNotTriedAgain(t *testing.T) {
	t.Parallel()
	_, c := openDoor(t, nil)
	paused := 0
	client.RecordPauses(c, func(time.Duration) { paused++ })
	content := client.FromBytes(bytes.Repeat([]byte("x"), 100_000))
	content.Length += 10
	_, err := c.DetectFile(t.Context(), "a.jpg", content, 0)
	if err == nil || !strings.Contains(err.Error(), "10 bytes shorter") || paused > 0 {
		t.Errorf("got %v after %d pauses", err, paused)
	}
}
