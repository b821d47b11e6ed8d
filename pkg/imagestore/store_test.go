package imagestore_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

func open(tb testing.TB, c imagestore.Config) *imagestore.Store {
	tb.Helper()
	store, err := imagestore.Open(tb.Context(), c)
	if err != nil {
		tb.Fatal(err)
	}
	return store
}

func put(tb testing.TB, store *imagestore.Store, key string, data []byte) {
	tb.Helper()
	if err := store.Put(tb.Context(), key, "image/jpeg", data); err != nil {
		tb.Fatal(err)
	}
}

func TestPutAndGet(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	data := make([]byte, 300_000)
	_, _ = rand.Read(data)
	for _, c := range []struct {
		name string
		data []byte
	}{{"random", data}, {"empty", nil}} {
		key := "2026-11-23/" + c.name + "/original"
		put(t, store, key, c.data)
		got, err := store.Get(ctx, key, int64(len(c.data)))
		if err != nil || !bytes.Equal(got, c.data) {
			t.Errorf("%s: got %d bytes, %v, want %d", c.name, len(got), err, len(c.data))
		}
	}
	put(t, store, "2026-11-23/random/original", []byte("newer"))
	if got, err := store.Get(ctx, "2026-11-23/random/original", 5); err != nil || string(got) != "newer" {
		t.Errorf("after a second put: %q, %v", got, err)
	}
}

func TestGetRefuses(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	put(t, store, "day/photo", []byte("123456"))
	if _, err := store.Get(ctx, "day/photo", 5); !errors.Is(err, imagestore.ErrTooLarge) {
		t.Errorf("a larger object: got %v, want ErrTooLarge", err)
	}
	if _, err := store.Get(ctx, "day/other", 5); !errors.Is(err, imagestore.ErrNotFound) {
		t.Errorf("no object: got %v, want ErrNotFound", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	var keys []string
	for i := range 7 {
		keys = append(keys, fmt.Sprintf("day/photo-%d", i))
		put(t, store, keys[i], []byte("x"))
	}
	put(t, store, "day/kept", []byte("x"))
	var missing []string // enough for several calls of S3, around those that exist
	for i := range 2500 {
		missing = append(missing, fmt.Sprintf("day/missing-%d", i))
	}
	all := append(append(append([]string{}, keys[:3]...), missing...), keys[3:]...)
	if err := store.Delete(ctx, all...); err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		if _, err := store.Get(ctx, key, 1); !errors.Is(err, imagestore.ErrNotFound) {
			t.Errorf("%s is not gone: %v", key, err)
		}
	}
	if _, err := store.Get(ctx, "day/kept", 1); err != nil {
		t.Errorf("what was not named is gone: %v", err)
	}
	if err := store.Delete(ctx); err != nil {
		t.Errorf("deleting nothing: %v", err)
	}
}

func TestKeysAreChecked(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	for _, key := range []string{
		"", "/", "/a", "a/", "a//b", "a/../b", "../a", "./a", "A", "a b", "a.jpg", "ä", "a\n", "a\x00", "a?b", "a%2fb",
		strings.Repeat("a", 256), strings.Repeat("a/", 600) + "a",
	} {
		if err := store.Put(ctx, key, "image/jpeg", nil); err == nil {
			t.Errorf("put took the key %q", key)
		}
		if _, err := store.Get(ctx, key, 1); err == nil || errors.Is(err, imagestore.ErrNotFound) {
			t.Errorf("get took the key %q: %v", key, err)
		}
		if err := store.Delete(ctx, "fine", key); err == nil {
			t.Errorf("delete took the key %q", key)
		}
		if _, err := store.SignedURL(ctx, key, time.Minute, imagestore.Disposition{}); err == nil {
			t.Errorf("a link was signed to the key %q", key)
		}
	}
}

func TestKeysOfAPhoto(t *testing.T) {
	t.Parallel()
	store := open(t, testenv.S3(t))
	p := job.Photo{
		ID:        uuid.MustParse("0193a5c2-7a1c-7f00-8000-00000000abcd"),
		CreatedAt: time.Date(2026, 11, 24, 0, 30, 0, 0, time.FixedZone("CET", 3600)),
	}
	for got, want := range map[string]string{
		imagestore.OriginalKey(p):               "2026-11-23/0193a5c2-7a1c-7f00-8000-00000000abcd/original",
		imagestore.ResultKey(p, 3, "annotated"): "2026-11-23/0193a5c2-7a1c-7f00-8000-00000000abcd/3/annotated",
	} {
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		put(t, store, got, []byte("x")) // both fit beside each other
	}
}

func TestBucket(t *testing.T) {
	t.Parallel()
	ctx, server := t.Context(), testenv.NewS3(t)
	store := open(t, server.Config())
	if err := store.Ping(ctx); !errors.Is(err, imagestore.ErrNoBucket) || errors.Is(err, imagestore.ErrUnavailable) {
		t.Errorf("pinging a bucket that is not there: %v", err)
	}
	if err := store.Put(ctx, "a", "image/jpeg", nil); !errors.Is(err, imagestore.ErrNoBucket) {
		t.Errorf("putting into a bucket that is not there: %v", err)
	}
	if _, err := store.Get(ctx, "a", 1); !errors.Is(err, imagestore.ErrNoBucket) || errors.Is(err, imagestore.ErrNotFound) {
		t.Errorf("getting from a bucket that is not there: %v", err)
	}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			if err := store.EnsureBucket(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if err := store.Ping(ctx); err != nil {
		t.Error(err)
	}
}

func TestWrongKeysAreNoOutage(t *testing.T) {
	t.Parallel()
	good := testenv.S3(t)
	unknown, wrong := good, good
	unknown.AccessKey = "nobody"
	wrong.SecretKey = "not the secret"
	for name, cfg := range map[string]imagestore.Config{"unknown access key": unknown, "wrong secret": wrong} {
		_, err := imagestore.Open(t.Context(), cfg)
		if !errors.Is(err, imagestore.ErrDenied) || errors.Is(err, imagestore.ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrDenied alone", name, err)
		}
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	good := imagestore.Config{Endpoint: "http://127.0.0.1:7070", Bucket: "b", Region: "r", AccessKey: "a", SecretKey: "s"}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for what, spoil := range map[string]func(*imagestore.Config){
		"an endpoint without scheme": func(c *imagestore.Config) { c.Endpoint = "127.0.0.1:7070" },
		"a public endpoint of ftp":   func(c *imagestore.Config) { c.PublicEndpoint = "ftp://x" },
		"no bucket":                  func(c *imagestore.Config) { c.Bucket = "" },
		"no region":                  func(c *imagestore.Config) { c.Region = "" },
		"half a key":                 func(c *imagestore.Config) { c.SecretKey = "" },
	} {
		bad := good
		spoil(&bad)
		if bad.Validate() == nil {
			t.Errorf("accepted: %s", what)
		}
	}
}
