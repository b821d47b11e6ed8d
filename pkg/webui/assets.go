package webui

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// ErrVendorMissing says that the third-party scripts were not fetched before the
// program was built.
var ErrVendorMissing = errors.New("third-party scripts are missing: run `npm ci` in pkg/webui and build again")

// staticRoot is the path below which assets are served.
const staticRoot = "/static/"

type asset struct {
	contentType string
	data        []byte
}

// assets are the static files by the name they are served under, and those names
// by the file's own.
type assets struct {
	served map[string]asset
	names  map[string]string
}

// loadAssets takes our own files from the folder "static" and npm's from "vendor".
func loadAssets(ours, npms fs.FS) (*assets, error) {
	a := &assets{served: map[string]asset{}, names: map[string]string{}}
	if err := a.add(ours, "static"); err != nil {
		return nil, err
	}
	if err := a.add(npms, "vendor"); err != nil {
		return nil, err
	}
	if _, there := a.names["htmx.min.js"]; !there {
		return nil, ErrVendorMissing
	}
	return a, nil
}

// add takes the files directly below dir that a browser can use.
func (a *assets) add(files fs.FS, dir string) error {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return fmt.Errorf("reading %s: %w", dir, err)
	}
	for _, e := range entries {
		contentType := contentTypeOf(e.Name())
		if contentType == "" {
			continue
		}
		data, err := fs.ReadFile(files, path.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("reading %s: %w", e.Name(), err)
		}
		served := hashedName(e.Name(), data)
		a.names[e.Name()] = served
		a.served[served] = asset{contentType: contentType, data: data}
	}
	return nil
}

func contentTypeOf(name string) string {
	switch path.Ext(name) {
	case ".css":
		return "text/css; charset=utf-8"
	case ".js":
		return "text/javascript; charset=utf-8"
	case ".svg":
		return "image/svg+xml"
	}
	return ""
}

// hashedName puts the content's hash before the extension: "app.1f3a….js".
func hashedName(name string, data []byte) string {
	sum := sha256.Sum256(data)
	ext := path.Ext(name)
	return strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
}

// url is where a static file is served. Asking for one that does not exist is a
// mistake in a template, which the test of every page finds.
func (a *assets) url(name string) (string, error) {
	served, there := a.names[name]
	if !there {
		return "", fmt.Errorf("no static file %q", name)
	}
	return staticRoot + served, nil
}

// serve answers with the asset. Its name changes with its content, so a browser
// may keep it for ever.
func (a *assets) serve(c *fiber.Ctx) error {
	found, there := a.served[c.Params("name")]
	if !there {
		return fiber.ErrNotFound
	}
	c.Set(fiber.HeaderContentType, found.contentType)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Send(found.data)
}
