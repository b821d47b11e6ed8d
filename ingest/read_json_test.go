package ingest

import (
	"net/http"
	"strings"
	"testing"
)

// TestUnreadableJSONSaysWhere: a person finds the place without guessing.
func TestUnreadableJSONSaysWhere(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	for body, want := range map[string]string{
		`{"image":{"base64":"%%%"}}`:                      `"image.base64","message":"is no base64 from byte 1 on"`,
		`{"image":{"url":"https://example.org/"},}`:       "no JSON from byte 40 on",
		`{"image":{"url":7}}`:                             `"image.url","message":"is a number, want a text"`,
		`{"metadata":{"gate":7}}`:                         `"metadata.gate","message":"is a number, want a text"`,
		`{"image":{"link":"https://example.org/a.jpg"}}`:  `"image.link","message":"is not known"`,
		`{"image":{"url":"https://example.org/a.jpg"}} x`: "no JSON from byte 47 on",
	} {
		a := d.ask(t, d.ann, http.MethodPost, "/v1/detections", strings.NewReader(body), map[string]string{"Content-Type": "application/json"})
		if a.status != http.StatusBadRequest || !strings.Contains(string(a.body), want) {
			t.Errorf("%s: got %d %s, want %q", body, a.status, a.body, want)
		}
	}
}
