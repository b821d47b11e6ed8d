package outside

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// stopLimit is how long answers under way may take once the site stops.
const stopLimit = 3 * time.Second

// Serve serves the photos of dir, the caught mail and the caught webhooks on the
// listener until ctx ends, and nothing that lies outside dir. Photos may come and go meanwhile.
func Serve(ctx context.Context, listener net.Listener, dir string, caught *Mailbox, hooks *Hooks) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return errors.Join(fmt.Errorf("opening the folder of photos: %w", err), listener.Close())
	}
	defer root.Close()
	server := &http.Server{Handler: handler(root, caught, hooks), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		stopped <- server.Shutdown(limit)
	})
	err = server.Serve(listener)
	if stop() { // it stopped by itself
		return fmt.Errorf("serving photos, mail and webhooks: %w", err)
	}
	return <-stopped
}

func handler(root *os.Root, caught *Mailbox, hooks *Hooks) http.Handler {
	mux := http.NewServeMux()
	caught.mount(mux)
	hooks.mount(mux)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { serveIndex(w, root) })
	mux.HandleFunc("GET /{name}", func(w http.ResponseWriter, r *http.Request) {
		if !isPhoto(r.PathValue("name")) {
			http.NotFound(w, r)
			return
		}
		servePhoto(w, r, root)
	})
	return mux
}

func isPhoto(name string) bool {
	extensions := []string{".jpg", ".jpeg", ".png", ".webp", ".bmp"}
	return slices.Contains(extensions, strings.ToLower(filepath.Ext(name)))
}

func servePhoto(w http.ResponseWriter, r *http.Request, root *os.Root) {
	file, err := root.Open(r.PathValue("name"))
	if err != nil {
		http.NotFound(w, r)
		return
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil || !info.Mode().IsRegular() {
		http.NotFound(w, r)
		return
	}
	http.ServeContent(w, r, info.Name(), info.ModTime(), file)
}

func serveIndex(w http.ResponseWriter, root *os.Root) {
	entries, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		http.Error(w, "the folder of photos cannot be read", http.StatusInternalServerError)
		return
	}
	var photos []string
	for _, entry := range entries {
		if !entry.IsDir() && isPhoto(entry.Name()) {
			photos = append(photos, entry.Name())
		}
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	// An error here is a client that left.
	_ = indexPage().Execute(w, photos)
}

func indexPage() *template.Template {
	return template.Must(template.New("index").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Sample photos</title>
<h1>Sample photos</h1>
<p>Copy the link of a photo and paste it on the upload page.</p>
<ul>
{{- range .}}
<li><a href="/{{.}}">{{.}}</a></li>
{{- else}}
<li>None yet: <code>go tool task demo</code> fetches them.</li>
{{- end}}
</ul>
</html>
`))
}
