package ingest

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// expansion is an expander of a test on real stores, which expands when it is told.
type expansion struct {
	*expander
	owner uuid.UUID
}

func newExpansion(t *testing.T) *expansion {
	t.Helper()
	images, err := imagestore.Open(t.Context(), testenv.S3(t))
	if err == nil {
		err = images.EnsureBucket(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	doors := Doors{Store: testenv.JobStore(t), Images: images}
	cfg := ExpanderConfig{Interval: time.Hour, AtOnce: 3, Lease: time.Minute, MaxUnpackedRatio: 200}
	limits := itemLimits{items: 2000, photo: 1 << 20}
	memory := newBudget(16<<20, prometheus.NewGauge(prometheus.GaugeOpts{Name: "test"}))
	return &expansion{
		expander: newExpander(doors, cfg, limits, memory, testenv.Logger(t), prometheus.NewRegistry()),
		owner:    testenv.Owner(t, doors.Store),
	}
}

// submit stores a batch as the door does.
func (e *expansion) submit(t *testing.T, source job.BatchSource, content []byte) job.Batch {
	t.Helper()
	id, err := job.NewBatchID()
	if err != nil {
		t.Fatal(err)
	}
	b := job.Batch{ID: id, OwnerID: e.owner, Source: source, CreatedAt: time.Now().UTC(), Window: time.Hour}
	switch source {
	case job.BatchFromManifest:
		b.SourceKey = imagestore.ManifestKey(b)
	case job.BatchFromArchive:
		b.SourceKey = imagestore.ArchiveKey(b)
	case job.BatchFromPrefix:
		b.Prefix = string(content)
	}
	if b.SourceKey != "" {
		if _, err := e.images.PutStream(t.Context(), b.SourceKey, "application/octet-stream", bytes.NewReader(content)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.store.CreateBatch(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	return b
}

// run expands the batch and gives it as it stands then.
func (e *expansion) run(t *testing.T, b job.Batch) job.Batch {
	t.Helper()
	x, ok, err := e.lease(t.Context())
	if err != nil || !ok || x.Batch.ID != b.ID {
		t.Fatalf("leased %v, %t, %v", x.Batch.ID, ok, err)
	}
	e.settle(t.Context(), x, e.expand(t.Context(), x))
	after, err := e.store.FindBatch(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	return after
}

func (e *expansion) items(t *testing.T, b job.Batch) []job.Photo {
	t.Helper()
	photos, err := e.store.Items(t.Context(), jobstore.ItemFilter{BatchID: b.ID, Limit: 5000})
	if err != nil {
		t.Fatal(err)
	}
	return photos
}

func TestManifestBecomesPhotos(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	upload, err := uuid.NewV7()
	if err != nil {
		t.Fatal(err)
	}
	jpeg := photo(t)
	b := e.submit(t, job.BatchFromManifest, []byte("\xef\xbb\xbf"+
		`{"custom_id":"gate-7/ä.jpg","image":{"url":"https://example.org/a.jpg"},"metadata":{"gate":"7"}}`+"\r\n\n"+
		`{"custom_id":"b","image":{"base64":"`+base64.StdEncoding.EncodeToString(jpeg)+`"}}`+"\n"+
		`{"custom_id":"c","image":{"upload_id":"`+upload.String()+`"}}`+"\n"+
		`{"custom_id":"d","image":{"s3_uri":"s3://gates/a.jpg"}}`))
	got := e.run(t, b)
	if got.State != job.BatchQueued || got.Counts.Total != 4 || got.Counts.Remaining != 4 {
		t.Fatalf("got %+v", got)
	}
	type told struct {
		Line              int
		Name, File, Link  string
		Source            job.Source
		Gate, OriginalKey string
		Lane              job.Lane
		Run               int
	}
	var all []told
	for _, p := range e.items(t, b) {
		all = append(all, told{p.BatchLine, p.CustomID, p.Filename, p.Link, p.Source, p.Metadata["gate"], p.OriginalKey, p.Lane, p.Run})
	}
	stored := imagestore.OriginalKey(job.Photo{ID: job.ItemID(b.ID, 2), CreatedAt: b.CreatedAt})
	want := []told{
		{1, "gate-7/ä.jpg", "ä.jpg", "https://example.org/a.jpg", job.SourceLink, "7", "", job.LaneBatch, 1},
		{2, "b", "b", "", job.SourceMember, "", stored, job.LaneBatch, 1},
		{3, "c", "c", upload.String(), job.SourceSigned, "", "", job.LaneBatch, 1},
		{4, "d", "d", "s3://gates/a.jpg", job.SourceS3, "", "", job.LaneBatch, 1},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Errorf("photos (-want +got):\n%s", diff)
	}
	if data, err := e.images.Get(t.Context(), stored, 1<<20); err != nil || !bytes.Equal(data, jpeg) {
		t.Errorf("the photo in S3: %d bytes, %v", len(data), err)
	}
}

// TestManifestIsCheckedToItsEnd: nothing of a batch is stored if a line of it is
// wrong, and the first lines that are wrong are named.
func TestManifestIsCheckedToItsEnd(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	line := func(name string) string {
		return fmt.Sprintf(`{"custom_id":%q,"image":{"url":"https://example.org/"}}`+"\n", name)
	}
	good := ""
	for i := range 600 {
		good += line(fmt.Sprintf("good %d", i))
	}
	many := ""
	for i := range 30 {
		many += fmt.Sprintf("{\"custom_id\":\"bad %d\"}\n", i)
	}
	crowd := &strings.Builder{}
	for i := range 2001 {
		crowd.WriteString(line(fmt.Sprintf("%d", i)))
	}
	for name, c := range map[string]struct {
		manifest string
		code     job.BatchCode
		lines    []int
		message  string // of the first line
	}{
		"not JSON":      {good + "\n" + `{"custom_id":`, job.BatchCodeInvalidManifest, []int{602}, "ends before it is complete"},
		"named twice":   {good + line("x") + line("y") + line("x"), job.BatchCodeDuplicateCustomID, []int{603}, "as line 601"},
		"private link":  {strings.Replace(line("x"), "https:", "file:", 1), job.BatchCodeInvalidManifest, []int{1}, "“url” cannot be used"},
		"empty":         {"\n\n", job.BatchCodeNoItems, nil, ""},
		"too many":      {crowd.String(), job.BatchCodeTooManyItems, nil, ""},
		"a long line":   {good + strings.Repeat("x", 3<<20), job.BatchCodeInvalidManifest, []int{601}, "too long"},
		"many bad ones": {many, job.BatchCodeInvalidManifest, []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20}, "exactly one"},
	} {
		b := e.run(t, e.submit(t, job.BatchFromManifest, []byte(c.manifest)))
		if b.State != job.BatchFailed || b.Failure == nil || b.Failure.Code != c.code || b.Counts.Total != 0 {
			t.Errorf("%s: %s with %d items, %+v", name, b.State, b.Counts.Total, b.Failure)
			continue
		}
		var lines []int
		for _, fault := range b.Failure.Lines {
			lines = append(lines, fault.Line)
		}
		if diff := cmp.Diff(c.lines, lines); diff != "" {
			t.Errorf("%s: lines (-want +got):\n%s", name, diff)
		} else if len(lines) > 0 && !strings.Contains(b.Failure.Lines[0].Message, c.message) {
			t.Errorf("%s: got %q, want %q", name, b.Failure.Lines[0].Message, c.message)
		}
	}
}

// TestExpanderGoesOnWhereAnotherDied: of one that stopped between two chunks, the
// next takes the rest, and nothing is stored twice.
func TestExpanderGoesOnWhereAnotherDied(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	text := &strings.Builder{}
	const items = 1700
	for i := range items {
		fmt.Fprintf(text, `{"custom_id":"%d","image":{"base64":"/9j/"}}`+"\n", i)
	}
	b := e.submit(t, job.BatchFromManifest, []byte(text.String()))
	x, ok, err := e.lease(t.Context())
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	dies := errors.New("dies here")
	source := &manifest{images: e.images, batch: b, maxPhoto: e.limits.photo}
	if err := e.insert(t.Context(), x, cutShort{source, 1234, dies}); !errors.Is(err, dies) {
		t.Fatal(err)
	}
	if got := len(e.items(t, b)); got != 1200 {
		t.Fatalf("%d items are stored, want twelve whole chunks", got)
	}
	if released, err := e.store.KeepExpansion(t.Context(), b.ID, x.Holder, 0); err != nil || !released {
		t.Fatal(released, err)
	}
	got := e.run(t, b)
	if got.State != job.BatchQueued || got.Counts.Total != items || got.Counts.Remaining != items {
		t.Fatalf("got %+v", got)
	}
	for i, p := range e.items(t, b) {
		if p.BatchLine != i+1 || p.CustomID != fmt.Sprint(i) || p.ID != job.ItemID(b.ID, i+1) {
			t.Fatalf("item %d is %+v", i, p)
		}
	}
}

// cutShort is a source that fails after some entries.
type cutShort struct {
	itemSource
	after int
	err   error
}

func (c cutShort) each(ctx context.Context, visit func(entry) error) error {
	n := 0
	return c.itemSource.each(ctx, func(e entry) error {
		if n++; n > c.after {
			return c.err
		}
		return visit(e)
	})
}

func TestExpanderGivesUpOnWhatKeepsKillingIt(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	b := e.submit(t, job.BatchFromManifest, []byte(`{"custom_id":"a","image":{"url":"https://example.org/"}}`))
	for range maxExpansions {
		if _, ok, err := e.store.LeaseExpansion(t.Context(), "one that dies", 0); err != nil || !ok {
			t.Fatal(ok, err)
		}
	}
	if got := e.run(t, b); got.State != job.BatchFailed || got.Failure.Code != job.BatchCodeInternal {
		t.Errorf("got %s, %v", got.State, got.Failure)
	}
}

func TestBatchWhoseSourceIsGone(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	for _, source := range []job.BatchSource{job.BatchFromManifest, job.BatchFromArchive} {
		b := e.submit(t, source, []byte("x"))
		if err := e.images.Delete(t.Context(), b.SourceKey); err != nil {
			t.Fatal(err)
		}
		if got := e.run(t, b); got.State != job.BatchFailed || got.Failure.Code != job.BatchCodeSourceNotFound {
			t.Errorf("%s: got %s, %v", source, got.State, got.Failure)
		}
	}
}

func TestPrefixBecomesPhotos(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	theirs := testenv.S3(t)
	bucket, err := imagestore.Open(t.Context(), theirs)
	if err == nil {
		err = bucket.EnsureBucket(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	const objects = 1100 // more than a page
	for i := range objects {
		if err := bucket.Put(t.Context(), fmt.Sprintf("gates/north/%04d", i), "image/jpeg", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := bucket.Put(t.Context(), "secret/a", "image/jpeg", []byte("x")); err != nil {
		t.Fatal(err)
	}
	prefix := func(rest string) []byte { return []byte("s3://" + theirs.Bucket + "/" + rest) }

	if got := e.run(t, e.submit(t, job.BatchFromPrefix, prefix("gates/north/"))); got.State != job.BatchFailed || got.Failure.Code != job.BatchCodeSourceForbidden {
		t.Errorf("an account without sources: %s, %v", got.State, got.Failure)
	}
	if err := e.store.SetS3Sources(t.Context(), e.owner, job.S3Sources{"s3://" + theirs.Bucket + "/gates/"}); err != nil {
		t.Fatal(err)
	}
	b := e.submit(t, job.BatchFromPrefix, prefix("gates/north/"))
	if got := e.run(t, b); got.State != job.BatchQueued || got.Counts.Total != objects {
		t.Fatalf("got %s of %d, %v", got.State, got.Counts.Total, got.Failure)
	}
	if last := e.items(t, b)[objects-1]; last.CustomID != "1099" || last.Link != string(prefix("gates/north/1099")) || last.Source != job.SourceS3 {
		t.Errorf("the last item: %+v", last)
	}
	for name, c := range map[string]struct {
		prefix []byte
		want   job.BatchCode
	}{
		"outside of the account's": {prefix("secret/"), job.BatchCodeSourceForbidden},
		"all of the bucket":        {prefix(""), job.BatchCodeSourceForbidden},
		"nothing there":            {prefix("gates/south/"), job.BatchCodeNoItems},
	} {
		if got := e.run(t, e.submit(t, job.BatchFromPrefix, c.prefix)); got.State != job.BatchFailed || got.Failure.Code != c.want {
			t.Errorf("%s: %s, %v", name, got.State, got.Failure)
		}
	}
}
