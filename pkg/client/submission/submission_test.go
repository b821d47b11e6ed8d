package submission_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/clienttest"
	"maskfleet/pkg/client/submission"
)

// cable stands between the command and the door, and kills the command at its n-th
// request: before the door has seen it, or after the door has answered.
type cable struct {
	*httptest.Server
	requests atomic.Int32
}

type moment string

const (
	before moment = "before the door saw it"
	after  moment = "before the answer came"
)

func newCable(t *testing.T, door *clienttest.Door, n int32, at moment, kill context.CancelFunc) *cable {
	t.Helper()
	to, err := url.Parse(door.URL)
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{}
	forward := &httputil.ReverseProxy{
		ErrorLog: log.New(io.Discard, "", 0),
		// Not the default one, whose idle connections every httptest.Server closes.
		Transport: &http.Transport{DisableKeepAlives: true},
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(to)
			r.Out.Host = r.In.Host // so that links lead through the cable too
		},
	}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last := c.requests.Add(1) == n
		if last && at == before {
			kill()
			panic(http.ErrAbortHandler)
		}
		if !last {
			forward.ServeHTTP(w, r)
			return
		}
		forward.ServeHTTP(httptest.NewRecorder(), r.WithContext(context.WithoutCancel(r.Context())))
		kill()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(c.Close)
	return c
}

// TestInterruptedAnywhere kills the command at each of its requests in turn, and
// begins it again: there must be one batch with every photo.
func TestInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	const photos = 12
	const requests = 1 + photos + 1 // links, photos, batch
	folder := album(t, photos)
	for n := range int32(requests) {
		for _, at := range []moment{before, after} {
			door := clienttest.NewDoor(nil)
			journals := t.TempDir()
			ctx, kill := context.WithCancel(t.Context())
			way := newCable(t, door, n+1, at, kill)
			if _, _, err := run(ctx, t, way.URL, journals, folder); err == nil {
				t.Fatalf("killed at request %d %s: no error", n+1, at)
			}
			b, _, err := run(t.Context(), t, way.URL, journals, folder)
			if err != nil {
				t.Fatalf("killed at request %d %s, then: %v", n+1, at, err)
			}
			checkOneBatch(t, door, b.ID, folder)
			again, _, err := run(t.Context(), t, way.URL, journals, folder)
			if err != nil || again.ID != b.ID {
				t.Errorf("after the batch was made: batch %q, %v", again.ID, err)
			}
			door.Close()
		}
	}
}

// TestWhatWasSentIsNotSentAgain: only photos that were on their way at the kill are.
func TestWhatWasSentIsNotSentAgain(t *testing.T) {
	t.Parallel()
	const photos, workers = 150, 4
	folder, journals := album(t, photos), t.TempDir()
	door := clienttest.NewDoor(nil)
	defer door.Close()
	ctx, kill := context.WithCancel(t.Context())
	way := newCable(t, door, photos, before, kill)
	if _, _, err := run(ctx, t, way.URL, journals, folder); err == nil {
		t.Fatal("it was not interrupted")
	}
	b, had, err := run(t.Context(), t, way.URL, journals, folder)
	if err != nil {
		t.Fatal(err)
	}
	checkOneBatch(t, door, b.ID, folder)
	if had.Uploaded < photos-2*workers {
		t.Errorf("%d had been uploaded, want nearly all", had.Uploaded)
	}
	if puts := door.Puts(); puts > photos+workers {
		t.Errorf("%d photos were sent, want at most %d", puts, photos+workers)
	}
}

func TestTornJournalIsMended(t *testing.T) {
	t.Parallel()
	folder, journals := album(t, 3), t.TempDir()
	door := clienttest.NewDoor(nil)
	defer door.Close()
	b, _, err := run(t.Context(), t, door.URL, journals, folder)
	if err != nil {
		t.Fatal(err)
	}
	paths, _ := filepath.Glob(filepath.Join(journals, "*", "journal.ndjson"))
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	for cut := len(text); text[cut-1] != '\n' || cut == len(text); cut-- { // all of the last line
		write(t, paths[0], text[:cut])
		again, _, err := run(t.Context(), t, door.URL, journals, folder)
		if err != nil || again.ID != b.ID {
			t.Fatalf("cut at %d: batch %q, %v", cut, again.ID, err)
		}
	}
	checkOneBatch(t, door, b.ID, folder)
}

func TestChangedPhotosAreSentAgain(t *testing.T) {
	t.Parallel()
	folder, journals := album(t, 6), t.TempDir()
	door := clienttest.NewDoor(nil)
	defer door.Close()
	ctx, kill := context.WithCancel(t.Context())
	way := newCable(t, door, 8, before, kill) // the batch
	if _, _, err := run(ctx, t, way.URL, journals, folder); err == nil {
		t.Fatal("it was not interrupted")
	}
	// Nothing of the batch has left the house but the posting was noted: what it holds
	// is settled. So take the note away, as a kill a moment earlier would have.
	paths, _ := filepath.Glob(filepath.Join(journals, "*", "journal.ndjson"))
	text, _ := os.ReadFile(paths[0])
	write(t, paths[0], text[:len(text)-len(lastLine(text))])
	write(t, filepath.Join(folder, "002.jpg"), jpeg("another"))
	write(t, filepath.Join(folder, "new.jpg"), jpeg("new"))
	if err := os.Remove(filepath.Join(folder, "003.jpg")); err != nil {
		t.Fatal(err)
	}
	b, _, err := run(t.Context(), t, way.URL, journals, folder)
	if err != nil {
		t.Fatal(err)
	}
	checkOneBatch(t, door, b.ID, folder)
	if puts := door.Puts(); puts != 8 {
		t.Errorf("%d photos were sent, want 6 and 2", puts)
	}
}

func lastLine(text []byte) []byte {
	for at := len(text) - 2; at >= 0; at-- {
		if text[at] == '\n' {
			return text[at+1:]
		}
	}
	return text
}

func TestLongAgo(t *testing.T) {
	t.Parallel()
	t.Run("a batch is not gone on with", func(t *testing.T) {
		t.Parallel()
		folder, journals := album(t, 2), t.TempDir()
		door := clienttest.NewDoor(nil)
		defer door.Close()
		if _, _, err := run(t.Context(), t, door.URL, journals, folder); err != nil {
			t.Fatal(err)
		}
		age(t, journals, 48*time.Hour)
		_, had, err := run(t.Context(), t, door.URL, journals, folder)
		if err != nil || len(door.Batches()) != 2 || had.BatchID != "" {
			t.Errorf("batches %v, %v", door.Batches(), err)
		}
	})
	t.Run("an unanswered posting is uncertain", func(t *testing.T) {
		t.Parallel()
		folder, journals := album(t, 2), t.TempDir()
		door := clienttest.NewDoor(nil)
		defer door.Close()
		ctx, kill := context.WithCancel(t.Context())
		way := newCable(t, door, 4, after, kill)
		if _, _, err := run(ctx, t, way.URL, journals, folder); err == nil {
			t.Fatal("it was not interrupted")
		}
		age(t, journals, 48*time.Hour)
		if _, _, err := run(t.Context(), t, way.URL, journals, folder); !errors.Is(err, submission.ErrUncertain) {
			t.Errorf("got %v", err)
		}
	})
}

func TestRefusedBatchCanBeAskedForAgain(t *testing.T) {
	t.Parallel()
	folder, journals := album(t, 2), t.TempDir()
	var full atomic.Bool
	full.Store(true)
	door := clienttest.NewDoor(func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path != "/v1/batches" || !full.Load() {
				return false
			}
			clienttest.Refuse(w, http.StatusForbidden, "forbidden", "The key may only read.")
			return true
		}
	})
	defer door.Close()
	_, _, err := run(t.Context(), t, door.URL, journals, folder)
	var refused *client.APIError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v", err)
	}
	full.Store(false)
	b, _, err := run(t.Context(), t, door.URL, journals, folder)
	if err != nil {
		t.Fatal(err)
	}
	checkOneBatch(t, door, b.ID, folder)
	if door.Puts() != 2 {
		t.Errorf("%d photos were sent, want 2", door.Puts())
	}
}

func TestExpiredLinkIsRenewedOnce(t *testing.T) {
	t.Parallel()
	folder := album(t, 2)
	var puts atomic.Int32
	door := clienttest.NewDoor(func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPut || puts.Add(1) > 1 {
				return false
			}
			http.Error(w, "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>", http.StatusForbidden)
			return true
		}
	})
	defer door.Close()
	b, _, err := run(t.Context(), t, door.URL, t.TempDir(), folder)
	if err != nil {
		t.Fatal(err)
	}
	checkOneBatch(t, door, b.ID, folder)
}

func TestTwoAtOnceAreTurnedAway(t *testing.T) {
	t.Parallel()
	cfg := submission.Config{Folder: t.TempDir(), Account: "a"}
	plan := submission.Plan{Prefix: "s3://b/"}
	first, err := submission.Open(cfg, plan)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := submission.Open(cfg, plan); err == nil {
		t.Error("the second was let in")
	}
	if err := errors.Join(first.Forget(), first.Close()); err != nil {
		t.Fatal(err)
	}
	third, err := submission.Open(cfg, plan)
	if err != nil {
		t.Fatal(err)
	}
	if err := third.Close(); err != nil {
		t.Error(err)
	}
}

func TestPlansAreToldApart(t *testing.T) {
	t.Parallel()
	folder := album(t, 1)
	manifest := filepath.Join(t.TempDir(), "m.ndjson")
	write(t, manifest, []byte(`{"custom_id": "a", "image": {"url": "https://example.com/a.jpg"}}`+"\n"))
	plans := []submission.Plan{
		{Paths: []string{folder}, Naming: submission.ByPath},
		{Paths: []string{folder}, Naming: submission.ByName},
		{Paths: []string{filepath.Join(folder, "000.jpg")}, Naming: submission.ByPath},
		{File: manifest, Kind: client.Manifest},
		{Prefix: "s3://b/"},
	}
	journals := t.TempDir()
	for _, account := range []string{"one", "two"} {
		for _, plan := range plans {
			s, err := submission.Open(submission.Config{Folder: journals, Account: account}, plan)
			if err != nil {
				t.Errorf("%+v of %s: %v", plan, account, err)
				continue
			}
			defer s.Close()
		}
	}
}

func TestManifestAndPrefix(t *testing.T) {
	t.Parallel()
	door := clienttest.NewDoor(nil)
	defer door.Close()
	c, err := client.New(client.Config{URL: door.URL, Key: clienttest.Key})
	if err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(t.TempDir(), "m.ndjson")
	write(t, manifest, []byte(`{"custom_id": "a", "image": {"url": "https://example.com/a.jpg"}}`+"\n"))
	journals := t.TempDir()
	for plan, want := range map[*submission.Plan]int{{File: manifest, Kind: client.Manifest}: 1, {Prefix: "s3://b/"}: 3} {
		for range 2 {
			s, err := submission.Open(submission.Config{Folder: journals}, *plan)
			if err != nil {
				t.Fatal(err)
			}
			b, err := s.Run(t.Context(), c, nil, quiet{})
			if err != nil || b.Counts.Total != want {
				t.Errorf("%+v: %+v, %v", plan, b.Counts, err)
			}
			s.Close()
		}
	}
	ids := door.Batches()
	if len(ids) != 2 {
		t.Fatalf("batches %v, want 2", ids)
	}
	if err := submission.ForgetBatch(journals, ids[0]); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(journals); len(left) != 1 {
		t.Errorf("%d journals are left, want 1", len(left))
	}
}
