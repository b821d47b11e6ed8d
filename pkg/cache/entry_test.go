package cache

import (
	"os"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// TestEntryVersion fails when a photo or the answer about it takes another form while
// entries of the old one may still lie in somebody's Redis.
func TestEntryVersion(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/entry.txt")
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	id := uuid.MustParse("01890f3e-7b1a-7c00-8000-000000000001")
	got, err := newEntry(job.Photo{
		ID: id, OwnerID: id, Lane: job.LaneBatch, BatchID: id, BatchLine: 7, CustomID: "gate-7", Run: 1,
		Source: job.SourceS3, Link: "s3://cameras/7.jpg", Filename: "7.jpg", ContentType: "image/jpeg", Bytes: 1234, Width: 640, Height: 480, SHA256: "ab",
		Metadata: map[string]string{"gate": "7"}, TraceParent: "00-1-2-00", CreatedAt: at,
		Row:      job.Row{State: job.StateSucceeded, Publication: 1, Fence: 1, Attempts: 1},
		WorkerID: "w-1", RunAt: at, ClaimedAt: at, DoneAt: at.Add(time.Second), OriginalKey: "o", AnnotatedKey: "a", ThumbnailKey: "t",
		Result: &job.Result{
			Faces: []job.Face{{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 64, YMin: 48, XMax: 128, YMax: 96}}},
			Model: job.Model{Name: "m", Version: "1"}, Timing: job.Timing{Total: 83 * time.Millisecond}, Width: 640, Height: 480,
			AnnotatedKey: "a", ThumbnailKey: "t", OriginalKey: "o", ContentType: "image/jpeg", Bytes: 1234, SHA256: "ab",
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)+"\n"); diff != "" {
		t.Errorf("entries of version %s look different now: raise entryVersion, then write the new form into testdata/entry.txt (-was +is):\n%s", entryVersion, diff)
	}
}

func TestEntryOfAnotherVersionIsNone(t *testing.T) {
	t.Parallel()
	for _, data := range []string{
		"", tombstone, `{"v":1,"owner":"01890f3e-7b1a-7c00-8000-000000000001","photo":{}}`,
		"1 01890f3e-7b1a-7c00-8000-000000000001\n{}\n{}", entryVersion + " nobody\n{}\n{}", entryVersion + " 01890f3e-7b1a-7c00-8000-000000000001\n{}",
	} {
		if e, ok := parseEntry([]byte(data)); ok {
			t.Errorf("%q was read as %+v", data, e)
		}
	}
}
