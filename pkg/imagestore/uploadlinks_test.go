package imagestore_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"maskfleet/pkg/testenv"
)

func TestSignedUploadTakesWhatWasAnnouncedOnly(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	const key = "2026-11-23/uploads/owner/upload"
	put := func(url string, headers map[string]string, data []byte) int {
		request, err := http.NewRequestWithContext(ctx, http.MethodPut, url, bytes.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range headers {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		return response.StatusCode
	}
	link, err := store.SignedUpload(ctx, key, "image/jpeg", 5, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status := put(link.URL, link.Headers, []byte("longer than said")); status < 400 {
		t.Errorf("another length is answered %d", status)
	}
	if status := put(link.URL, map[string]string{"Content-Type": "text/html"}, []byte("photo")); status < 400 {
		t.Errorf("another content type is answered %d", status)
	}
	for _, content := range []string{"photo", "again"} {
		if status := put(link.URL, link.Headers, []byte(content)); status != 200 {
			t.Fatalf("the upload is answered %d, with %v", status, link.Headers)
		}
		if got, err := store.Get(ctx, key, 100); err != nil || string(got) != content {
			t.Errorf("stored %q, %v", got, err)
		}
	}
	if got := link.Headers; len(got) != 1 || got["Content-Type"] != "image/jpeg" {
		t.Errorf("the headers are %v", got)
	}
	any, err := store.SignedUpload(ctx, key, "image/jpeg", 0, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if status := put(any.URL, any.Headers, []byte("of any length")); status != 200 {
		t.Errorf("an upload of any length is answered %d", status)
	}
	if _, err := store.SignedUpload(ctx, "../up", "image/jpeg", 0, time.Minute); err == nil {
		t.Error("a key that is none of ours was signed")
	}
}
