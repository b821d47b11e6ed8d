package submission_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/client/submission"
)

func TestFindLooksAtContent(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	at := func(name string) string { return filepath.Join(folder, name) }
	write(t, at("a.jpg"), jpeg("a"))
	write(t, at("below/deeper/b"), []byte("\x89PNG\r\n\x1a\n..."))
	write(t, at("c.webp"), []byte("RIFF\x00\x00\x00\x00WEBPVP8 "))
	write(t, at("d.bmp"), []byte("BM\x10\x00\x00\x00\x00\x00\x00\x00.."))
	write(t, at("e.jpg"), []byte("not a photo"))
	write(t, at("f.bmp"), []byte("BM is how this text begins"))
	write(t, at("g.jpg"), nil)
	write(t, at("h.jpg"), jpeg(strings.Repeat("x", 100)))
	if err := os.Symlink(folder, at("loop")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(at("nothing"), at("i.jpg")); err != nil {
		t.Fatal(err)
	}

	found, err := submission.Find([]string{folder, at("a.jpg")}, submission.ByPath, 50)
	if err != nil {
		t.Fatal(err)
	}
	photos := make(map[string]string)
	for _, p := range found.Photos {
		photos[strings.TrimPrefix(p.CustomID, folder+"/")] = p.ContentType
	}
	if diff := cmp.Diff(map[string]string{"a.jpg": "image/jpeg", "below/deeper/b": "image/png", "c.webp": "image/webp", "d.bmp": "image/bmp"}, photos); diff != "" {
		t.Errorf("photos (-want +got):\n%s", diff)
	}
	skipped := make(map[string]string)
	for _, s := range found.Skipped {
		skipped[filepath.Base(s.Path)] = s.Reason
	}
	const other = "not a JPEG, PNG, WebP or BMP"
	if diff := cmp.Diff(map[string]string{
		"e.jpg": other, "f.bmp": other, "g.jpg": other, "h.jpg": "104 bytes, more than 50",
		"loop": "a link to a folder", "i.jpg": "no such file or directory",
	}, skipped); diff != "" {
		t.Errorf("skipped (-want +got):\n%s", diff)
	}
}

func TestFindRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write(t, filepath.Join(folder, "text.jpg"), []byte("text"))
	write(t, filepath.Join(folder, "one", "a.jpg"), jpeg("1"))
	write(t, filepath.Join(folder, "two", "a.jpg"), jpeg("2"))
	for name, paths := range map[string][]string{
		"what is not there":       {filepath.Join(folder, "nothing")},
		"a named file, no photo":  {filepath.Join(folder, "text.jpg")},
		"two photos of one name":  {folder},
		"the same, file and file": {filepath.Join(folder, "one", "a.jpg"), filepath.Join(folder, "two", "a.jpg")},
	} {
		if found, err := submission.Find(paths, submission.ByName, 0); err == nil {
			t.Errorf("%s: got %+v", name, found)
		}
	}
}
