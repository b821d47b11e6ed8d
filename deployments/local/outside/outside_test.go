package outside_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/outside"
)

func TestServe(t *testing.T) {
	t.Parallel()
	above := t.TempDir()
	dir := filepath.Join(above, "photos")
	for path, text := range map[string]string{
		"above.jpg": "not yours", "photos/a.jpg": "photo a", "photos/.stamp": "ours", "photos/folder.png/b.jpg": "photo b",
	} {
		path = filepath.Join(above, path)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("../above.jpg", filepath.Join(dir, "link.jpg")); err != nil {
		t.Fatal(err)
	}
	url := serve(t, dir)
	for _, c := range []struct {
		path   string
		status int
		body   string
	}{
		{"/", 200, `<li><a href="/a.jpg">a.jpg</a></li>`},
		{"/a.jpg", 200, "photo a"},
		{"/.stamp", 404, ""},
		{"/folder.png", 404, ""},
		{"/gone.jpg", 404, ""},
		{"/link.jpg", 404, ""},
		{"/..%2fabove.jpg", 404, ""},
	} {
		status, kind, body := get(t, url+c.path)
		if status != c.status || !strings.Contains(body, c.body) {
			t.Errorf("%s answers %d %q, want %d with %q", c.path, status, body, c.status, c.body)
		}
		if c.path == "/a.jpg" && kind != "image/jpeg" {
			t.Errorf("%s is %q, want image/jpeg", c.path, kind)
		}
	}
	if _, _, body := get(t, url+"/"); strings.Contains(body, ".stamp") || strings.Contains(body, "folder.png") {
		t.Errorf("the index lists more than photos:\n%s", body)
	}
}

// serve starts the site; the test fails if it does not stop cleanly.
func serve(t *testing.T, dir string) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- outside.Serve(ctx, listener, dir, &outside.Mailbox{}, &outside.Hooks{}) }()
	t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("stopping: %v", err)
			}
		case <-time.After(time.Minute):
			t.Error("it did not stop")
		}
	})
	return "http://" + listener.Addr().String()
}

func get(t *testing.T, url string) (status int, kind, body string) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, response.Header.Get("Content-Type"), string(data)
}
