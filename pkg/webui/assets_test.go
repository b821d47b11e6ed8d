package webui

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/gofiber/fiber/v2"
)

func TestWithoutNPMsFilesItDoesNotStart(t *testing.T) {
	t.Parallel()
	clone := fstest.MapFS{"vendor/README.md": {Data: []byte("fetch me")}}
	if _, err := loadAssets(staticFiles, clone); !errors.Is(err, ErrVendorMissing) {
		t.Errorf("got %v, want %v", err, ErrVendorMissing)
	}
}

func TestAssetsAreKeptForEver(t *testing.T) {
	t.Parallel()
	kit, err := New()
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New()
	kit.Mount(app)
	address, err := kit.assets.url("app.js")
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]int{address: 200, "/static/app.js": 404, "/static/..%2fembed.go": 404, "/static/README.md": 404} {
		response, err := app.Test(httptest.NewRequest(http.MethodGet, path, nil))
		if err != nil {
			t.Fatal(err)
		}
		if response.StatusCode != want {
			t.Errorf("%s gives %d, want %d", path, response.StatusCode, want)
		}
		if caching := response.Header.Get("Cache-Control"); strings.Contains(caching, "immutable") != (want == 200) {
			t.Errorf("%s has the caching %q", path, caching)
		}
		_ = response.Body.Close()
	}
}

func TestNoTemplateNeedsAnInlineScriptOrStyle(t *testing.T) {
	t.Parallel()
	for _, folder := range []string{"templates", "templates/pages"} {
		entries, err := templateFiles.ReadDir(folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if e.IsDir() {
				continue
			}
			file, err := templateFiles.Open(folder + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, inline := range []string{" style=", "<style", "<script>", " onclick=", " onload=", "javascript:"} {
				if strings.Contains(string(text), inline) {
					t.Errorf("%s contains %q, which the policy forbids", e.Name(), inline)
				}
			}
		}
	}
}
