package submission_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"io"
	"path/filepath"
	"testing"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/submission"
)

func TestArchiveKind(t *testing.T) {
	t.Parallel()
	pack := func(make func(io.Writer) io.Closer) []byte {
		var out bytes.Buffer
		w := make(&out)
		if archive, is := w.(*tar.Writer); is {
			if err := archive.WriteHeader(&tar.Header{Name: "a.jpg", Mode: 0o600}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	folder := t.TempDir()
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"a":         {pack(func(w io.Writer) io.Closer { return zip.NewWriter(w) }), client.Zip},
		"b":         {pack(func(w io.Writer) io.Closer { return tar.NewWriter(w) }), client.Tar},
		"c":         {pack(func(w io.Writer) io.Closer { return gzip.NewWriter(w) }), client.TarGz},
		"photo.zip": {jpeg("a photo"), ""},
		"empty.tar": {nil, ""},
	} {
		path := filepath.Join(folder, name)
		write(t, path, c.content)
		if got, err := submission.ArchiveKind(path); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v, want %q", name, got, err, c.want)
		}
	}
	if got, err := submission.ArchiveKind(folder); err != nil || got != "" {
		t.Errorf("a folder: got %q, %v", got, err)
	}
	if _, err := submission.ArchiveKind(filepath.Join(folder, "none")); err == nil {
		t.Error("what is not there is no error")
	}
}
