package submission_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/clienttest"
	"maskfleet/pkg/client/submission"
)

// jpeg is what begins like one.
func jpeg(of string) []byte { return append([]byte("\xff\xd8\xff\xe0"), of...) }

// write makes a file and the folders above it.
func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

// album makes a folder of n photos.
func album(t *testing.T, n int) string {
	t.Helper()
	folder := t.TempDir()
	for i := range n {
		write(t, filepath.Join(folder, fmt.Sprintf("%03d.jpg", i)), jpeg(fmt.Sprint(i)))
	}
	return folder
}

// run submits a folder once, as one process would, and gives what Before said first.
func run(ctx context.Context, t *testing.T, url, journals, folder string) (client.Batch, submission.Before, error) {
	t.Helper()
	found, err := submission.Find([]string{folder}, submission.ByName, 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := submission.Open(submission.Config{Folder: journals, Account: url, Workers: 4},
		submission.Plan{Paths: []string{folder}, Naming: submission.ByName})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	before := s.Before()
	c, err := client.New(client.Config{URL: url, Key: clienttest.Key, Patience: -1})
	if err != nil {
		t.Fatal(err)
	}
	b, err := s.Run(ctx, c, found.Photos, quiet{})
	return b, before, err
}

type quiet struct{}

func (quiet) Sending(int, int64) {}
func (quiet) Sent(int64)         {}

// checkOneBatch holds what the door has against the folder.
func checkOneBatch(t *testing.T, door *clienttest.Door, id, folder string) {
	t.Helper()
	if diff := cmp.Diff([]string{id}, door.Batches()); diff != "" {
		t.Fatalf("batches (-returned +made):\n%s", diff)
	}
	got := door.Items(id)
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(files) {
		t.Errorf("%d items, want %d", len(got), len(files))
	}
	for _, file := range files {
		want, err := os.ReadFile(filepath.Join(folder, file.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got[file.Name()], want) {
			t.Errorf("%s: the door has %q, want %q", file.Name(), got[file.Name()], want)
		}
	}
}

// age makes a journal look as if it had been written earlier.
func age(t *testing.T, journals string, by time.Duration) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(journals, "*", "journal.ndjson"))
	if err != nil || len(paths) != 1 {
		t.Fatalf("journals: %v, %v", paths, err)
	}
	text, err := os.ReadFile(paths[0])
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().UTC()
	for day := range 2 {
		at := now.AddDate(0, 0, -day).Format(time.DateOnly)
		earlier := now.AddDate(0, 0, -day).Add(-by).Format(time.DateOnly)
		text = bytes.ReplaceAll(text, []byte(`"at":"`+at), []byte(`"at":"`+earlier))
	}
	write(t, paths[0], text)
}
