package command_test

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"maskfleet/pkg/client/clienttest"
)

func TestSubmitAndWait(t *testing.T) {
	t.Parallel()
	door := openDoor(t, finishing)
	p := at(t, door)
	folder := album(t, 3)
	if err := os.WriteFile(filepath.Join(folder, "notes.txt"), []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	got := p.run("submit", "--wait", "--custom-id-from", "name", folder)
	got.want(t, 0, "0000.jpg  succeeded  some_masked  3      2       1         41",
		"Left out: "+folder+"/notes.txt: not a JPEG", "Sending 3 photos", "Done: 3 of 3 photos succeeded.")
	if strings.Contains(got.out, "Done") || strings.Contains(got.err, "some_masked") {
		t.Errorf("results and messages are mixed:\nout: %s\nerr: %s", got.out, got.err)
	}
	if left := journals(t, p); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
	p.run("submit", "--wait", folder).want(t, 0)
	if n := len(door.Batches()); n != 2 {
		t.Errorf("%d batches, want 2: what has come to its end is not gone on with", n)
	}
}

func TestSubmitTellsThatSomeFailed(t *testing.T) {
	t.Parallel()
	p := at(t, openDoor(t, finishing))
	folder := album(t, 2, "bad.jpg")
	got := p.run("submit", "--wait", folder)
	got.want(t, 1, "bad.jpg", "The photo could not be read. (decode_failed)", "Done: 2 of 3 photos succeeded.", "maskfleet retry b1")
	p.run("retry", "--wait", "--format", "ndjson", "b1").want(t, 0, `"attempts":2`, "3 of 3")
}

func TestSubmitFormats(t *testing.T) {
	t.Parallel()
	p := at(t, openDoor(t, finishing))
	folder := album(t, 2)
	p.run("submit", "--wait", "--format", "csv", folder).want(t, 0, "custom_id,id,status\n"+folder+"/0000.jpg,b1-d1,succeeded\n")
	lines := bufio.NewScanner(strings.NewReader(p.run("submit", "--wait", "--format", "ndjson", folder).out))
	n := 0
	for ; lines.Scan(); n++ {
		if !json.Valid(lines.Bytes()) {
			t.Errorf("line %q", lines.Text())
		}
	}
	if n != 2 {
		t.Errorf("%d lines, want 2", n)
	}
}

func TestSubmitWithoutWaiting(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	got := p.run("submit", album(t, 1))
	got.want(t, 0, "maskfleet watch b1")
	if got.out != "b1\n" {
		t.Errorf("printed %q, want the id alone", got.out)
	}
}

func TestSubmitManifestAndPrefix(t *testing.T) {
	t.Parallel()
	door := openDoor(t, finishing)
	p := at(t, door)
	p.typed = `{"custom_id": "one", "image": {"url": "https://example.com/1.jpg"}}` + "\n"
	p.run("submit", "--wait", "--manifest", "-").want(t, 0, "one    succeeded")
	file := filepath.Join(t.TempDir(), "m.ndjson")
	if err := os.WriteFile(file, []byte(p.typed+p.typed), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run("submit", "--wait", "--manifest", file).want(t, 1, "was refused", "line 2: custom_id “one” also stands in line 1")
	p.run("submit", "--wait", "--s3", "s3://photos/").want(t, 0, "s3://photos/2.jpg", "3 of 3")
}

// TestInterruptedWaiting: Ctrl-C leaves a batch, which the same command picks up, and
// so does watch.
func TestSubmitArchive(t *testing.T) {
	t.Parallel()
	door := openDoor(t, finishing)
	p := at(t, door)
	archive := filepath.Join(t.TempDir(), "photos of 7.backup") // by its content, never by its name
	var packed bytes.Buffer
	w := zip.NewWriter(&packed)
	for _, name := range []string{"gate/1.jpg", "gate/2.jpg"} {
		if _, err := w.Create(name); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(archive, packed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	p.run("submit", "--wait", archive).want(t, 0, "gate/2.jpg  succeeded", "Sending "+archive, "2 of 2")
	if door.Puts() > 0 {
		t.Error("photos were sent one by one")
	}
	p.run("submit", archive, album(t, 1)).want(t, 3, "submit it by itself")
	p.run("submit", "--custom-id-from", "name", archive).want(t, 3, "named by their paths")
}

func TestInterruptedWaiting(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	folder := album(t, 5)
	ctx, interrupt := context.WithCancel(t.Context())
	door.OnEvents(func() { interrupt() })
	p.runIn(ctx, "submit", "--wait", folder).want(t, 130, "Interrupted. Batch b1 goes on without you", "maskfleet watch b1")
	door.OnEvents(nil)

	door.Finish("b1", -1)
	got := p.run("submit", "--wait", "--format", "ndjson", folder)
	got.want(t, 0, "Going on with what was submitted", "5 of 5")
	if n := strings.Count(got.out, "\n"); n != 5 || len(door.Batches()) != 1 {
		t.Errorf("%d results of %v, want 5 of one batch", n, door.Batches())
	}
}

func TestWatchedToItsEndIsForgotten(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	folder := album(t, 2)
	ctx, interrupt := context.WithCancel(t.Context())
	door.OnEvents(func() { interrupt() })
	p.runIn(ctx, "submit", "--wait", folder).want(t, 130)
	door.OnEvents(func() { door.Finish("b1", 1) })
	p.run("watch", "b1").want(t, 0, "Done: 2 of 2")
	p.run("submit", folder).want(t, 0)
	if n := len(door.Batches()); n != 2 {
		t.Errorf("%d batches, want 2", n)
	}
}

// TestInterruptedSending: a thousand photos, Ctrl-C in the middle of them.
func TestInterruptedSending(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	var puts atomic.Int32
	door := openDoor(t, func(d *clienttest.Door) {
		d.Finishes = true
		d.Before = func(_ http.ResponseWriter, r *http.Request) bool {
			if r.Method == http.MethodPut && puts.Add(1) == 500 {
				interrupt()
			}
			return false
		}
	})
	p := at(t, door)
	folder := album(t, 1000)
	args := []string{"submit", "--wait", "--format", "ndjson", "--custom-id-from", "name", folder}
	p.runIn(ctx, args...).want(t, 130, "Run the same command again")
	got := p.run(args...)
	got.want(t, 0, "photos had arrived before the interruption", "1,000 of 1,000 photos succeeded")
	seen := make(map[string]bool)
	for line := range strings.Lines(got.out) {
		var result struct {
			CustomID string `json:"custom_id"`
		}
		if err := json.Unmarshal([]byte(line), &result); err != nil {
			t.Fatal(err)
		}
		if seen[result.CustomID] {
			t.Errorf("%s came twice", result.CustomID)
		}
		seen[result.CustomID] = true
	}
	if len(seen) != 1000 || len(door.Batches()) != 1 {
		t.Errorf("%d results in batches %v, want 1,000 in one", len(seen), door.Batches())
	}
	if n := puts.Load(); n > 1000+8 {
		t.Errorf("%d photos were sent", n)
	}
}

func TestSubmitAgain(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	folder := album(t, 1)
	ctx, interrupt := context.WithCancel(t.Context())
	door.OnEvents(func() { interrupt() })
	p.runIn(ctx, "submit", "--wait", folder).want(t, 130)
	p.run("delete", "--yes", "b1").want(t, 0, "1 photo erased, with 3 files.")
	p.run("submit", "--again", folder).want(t, 0)
	if n := len(door.Batches()); n != 2 {
		t.Errorf("%d batches, want 2", n)
	}
}

func TestSubmitRefusesBeforeSending(t *testing.T) {
	t.Parallel()
	door := openDoor(t, nil)
	p := at(t, door)
	empty := t.TempDir()
	for _, c := range []struct {
		args []string
		exit int
		says string
	}{
		{[]string{"submit"}, 2, "either paths"},
		{[]string{"submit", empty, "--s3", "s3://a/"}, 2, "either paths"},
		{[]string{"submit", "--s3", "http://a/"}, 2, "s3://bucket/prefix/"},
		{[]string{"submit", "--format", "xml", empty}, 2, "table, csv or ndjson"},
		{[]string{"submit", "--custom-id-from", "date", empty}, 2, "path or name"},
		{[]string{"submit", empty}, 3, "no photos were found"},
		{[]string{"submit", filepath.Join(empty, "nothing")}, 3, "maskfleet: " + filepath.Join(empty, "nothing") + ": no such file"},
		{[]string{"submit", "--manifest", filepath.Join(empty, "nothing")}, 3, ": no such file"},
		{[]string{"submit", "--nonsense"}, 2, "unknown flag"},
	} {
		p.run(c.args...).want(t, c.exit, c.says)
	}
	if len(door.Batches()) > 0 || len(journals(t, p)) > 0 {
		t.Errorf("it made batches %v, journals %v", door.Batches(), journals(t, p))
	}
}
