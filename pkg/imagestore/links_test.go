package imagestore_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/testenv"
)

func fetch(tb testing.TB, link string) (status int, header http.Header, body string) {
	tb.Helper()
	request, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, link, http.NoBody)
	if err != nil {
		tb.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	data, err := io.ReadAll(answer.Body)
	if err != nil {
		tb.Fatal(err)
	}
	return answer.StatusCode, answer.Header, string(data)
}

func sign(tb testing.TB, store *imagestore.Store, key string, d time.Duration, as imagestore.Disposition) string {
	tb.Helper()
	link, err := store.SignedURL(tb.Context(), key, d, as)
	if err != nil {
		tb.Fatal(err)
	}
	return link
}

func TestSignedURL(t *testing.T) {
	t.Parallel()
	cfg := testenv.S3(t)
	cfg.PublicEndpoint = strings.Replace(cfg.Endpoint, "127.0.0.1", "localhost", 1)
	store := open(t, cfg)
	put(t, store, "day/photo", []byte("bytes"))
	put(t, store, "day/other", []byte("not for you"))

	link := sign(t, store, "day/photo", time.Minute, imagestore.Disposition{Filename: `Tor "7" – Süd.jpg`, ContentType: "image/webp"})
	if !strings.HasPrefix(link, cfg.PublicEndpoint+"/") {
		t.Errorf("the link leads elsewhere than to the public endpoint: %s", link)
	}
	status, header, body := fetch(t, link)
	if status != http.StatusOK || body != "bytes" {
		t.Fatalf("got %d %q", status, body)
	}
	if got := header.Get("Content-Type"); got != "image/webp" {
		t.Errorf("content type %q, want the link's", got)
	}
	const disposition = `inline; filename*=utf-8''Tor%20%227%22%20%E2%80%93%20S%C3%BCd.jpg`
	if got := header.Get("Content-Disposition"); got != disposition {
		t.Errorf("got %s, want %s", got, disposition)
	}

	_, plain, _ := fetch(t, sign(t, store, "day/photo", time.Minute, imagestore.Disposition{}))
	if plain.Get("Content-Type") != "image/jpeg" || plain.Get("Content-Disposition") != "inline" {
		t.Errorf("without a disposition: %v", plain)
	}

	for what, tampered := range map[string]string{
		"another key":       strings.Replace(link, "day/photo", "day/other", 1),
		"a longer life":     strings.Replace(link, "X-Amz-Expires=60", "X-Amz-Expires=6000", 1),
		"another type":      strings.Replace(link, "webp", "html", 1),
		"another signature": strings.Replace(link, "X-Amz-Signature=", "X-Amz-Signature=0", 1),
		"no signature":      strings.SplitN(link, "?", 2)[0],
	} {
		if tampered == link {
			t.Fatalf("%s: nothing was changed in %s", what, link)
		}
		if status, _, body := fetch(t, tampered); status != http.StatusForbidden || strings.Contains(body, "not for you") {
			t.Errorf("%s: got %d %q, want 403", what, status, body)
		}
	}
}

func TestSignedURLExpires(t *testing.T) {
	t.Parallel()
	store := open(t, testenv.S3(t))
	put(t, store, "day/photo", []byte("bytes"))
	link := sign(t, store, "day/photo", time.Second, imagestore.Disposition{})
	u, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := time.Parse("20060102T150405Z", u.Query().Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	for status := http.StatusOK; status != http.StatusForbidden; {
		if status, _, _ = fetch(t, link); status == http.StatusOK {
			if over := time.Since(signed); over > time.Minute {
				t.Fatalf("a link for a second is good for %s", over)
			}
			continue
		}
		if status != http.StatusForbidden || time.Since(signed) < time.Second {
			t.Fatalf("%s after its signing the link gives %d, want 403 a second after it", time.Since(signed), status)
		}
	}
}

func TestSignedURLRefuses(t *testing.T) {
	t.Parallel()
	store := open(t, testenv.S3(t))
	for _, d := range []time.Duration{0, 999 * time.Millisecond, -time.Minute, 8 * 24 * time.Hour} {
		if _, err := store.SignedURL(t.Context(), "day/photo", d, imagestore.Disposition{}); err == nil {
			t.Errorf("a link of %s was signed", d)
		}
	}
}
