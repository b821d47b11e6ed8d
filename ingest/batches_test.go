package ingest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
)

// batchFrom reads a batch from an answer of the wanted status.
func batchFrom(t testing.TB, a answer, status int) batchAnswer {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	var b batchAnswer
	a.into(t, &b)
	return b
}

// itemLines is a manifest of n items with links.
func itemLines(n int) string {
	var lines strings.Builder
	for i := range n {
		fmt.Fprintf(&lines, `{"custom_id":"gate-7-%04d","image":{"url":"https://example.com/%d.jpg"}}`+"\n", i+1, i+1)
	}
	return lines.String()
}

func (d *door) submitBatch(t testing.TB, p person, kind, body string) answer {
	t.Helper()
	return d.ask(t, p, http.MethodPost, "/v1/batches", strings.NewReader(body), map[string]string{"Content-Type": kind})
}

// expanded submits a batch of n links and waits until its items wait for workers.
func (d *door) expanded(t testing.TB, p person, n int) batchAnswer {
	t.Helper()
	b := batchFrom(t, d.submitBatch(t, p, ndjson, itemLines(n)), http.StatusAccepted)
	eventually(t, "the batch is expanded", func() bool {
		d.expand(t)
		b = batchFrom(t, d.ask(t, p, http.MethodGet, batchPath(b.ID), nil, nil), http.StatusOK)
		return b.Status != job.BatchValidating
	})
	return b
}

// expand plays the expander for the next batch of links, if one waits.
func (d *door) expand(t testing.TB) {
	t.Helper()
	holder := uuid.NewString()
	x, found, err := d.store.LeaseExpansion(t.Context(), holder, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !found {
		return
	}
	manifest, err := d.images.Get(t.Context(), x.Batch.SourceKey, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	var photos []job.Photo
	for line := range bytes.Lines(manifest) {
		item, err := job.ParseItem(line, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		at := len(photos) + 1
		photos = append(photos, job.Photo{
			ID: job.ItemID(x.Batch.ID, at), OwnerID: x.Batch.OwnerID, Lane: job.LaneBatch, BatchID: x.Batch.ID, BatchLine: at, Run: 1,
			CustomID: item.CustomID, Source: job.SourceLink, Link: item.Image.URL, CreatedAt: time.Now().UTC(), Row: job.Accepted(),
		})
	}
	added, err := d.store.AddItems(t.Context(), x.Batch.ID, holder, photos)
	if err == nil && added {
		added, err = d.store.Expanded(t.Context(), x.Batch.ID, holder)
	}
	if err != nil || !added {
		t.Fatalf("expanding: %v %v", added, err)
	}
}

// fail plays a worker that cannot use the item.
func (d *door) fail(t *testing.T, id job.ID) {
	t.Helper()
	photo, refusal, _, err := d.store.Claim(t.Context(), id, d.publicationOf(t, id), "w-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming %s: %v %v", id, refusal, err)
	}
	done, err := d.store.Fail(t.Context(), id, photo.Row.Fence, job.Fail(job.CodeDecodeFailed, nil))
	if err != nil || !done {
		t.Fatalf("failing %s: %v %v", id, done, err)
	}
}

func TestBatchFromSubmissionToResults(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	b := d.expanded(t, d.ann, 3)
	path := batchPath(b.ID)
	now := batchFrom(t, d.ask(t, d.ann, http.MethodGet, path, nil, nil), 200)
	if want := (batchCounts{Total: 3, Queued: 3}); now.Counts != want || now.Status.Terminal() || now.Links.Results != path+"/results" {
		t.Errorf("got %+v", now)
	}
	d.complete(t, job.ItemID(b.ID, 1))
	if _, refusal, _, err := d.store.Claim(t.Context(), job.ItemID(b.ID, 2), d.publicationOf(t, job.ItemID(b.ID, 2)), "w-test", time.Minute); err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming: %v %v", refusal, err)
	}
	now = batchFrom(t, d.ask(t, d.ann, http.MethodGet, path+"?wait=1", nil, nil), 200)
	if want := (batchCounts{Total: 3, Queued: 1, Processing: 1, Succeeded: 1}); now.Counts != want || now.Summary.SomeMasked != 1 || now.Summary.NumFaces != 2 {
		t.Errorf("while running it is %+v", now)
	}
	if lines := resultLines(t, d.ask(t, d.ann, http.MethodGet, path+"/results", nil, nil)); len(lines) != 1 || *lines[0].CustomID != "gate-7-0001" || *lines[0].BatchID != b.ID {
		t.Errorf("the partial results are %+v", lines)
	}

	waiting := make(chan answer, 1)
	go func() {
		a, err := d.try(t.Context(), d.ann, http.MethodGet, path+"?wait=25", nil, nil)
		if err != nil {
			t.Error(err)
		}
		waiting <- a
	}()
	if done, err := d.store.Fail(t.Context(), job.ItemID(b.ID, 2), 1, job.Fail(job.CodeDecodeFailed, nil)); err != nil || !done {
		t.Fatalf("failing: %v %v", done, err)
	}
	d.complete(t, job.ItemID(b.ID, 3))
	d.finalize(t, b.ID)
	ended := batchFrom(t, <-waiting, 200)
	if ended.Status != job.BatchCompleted || ended.FinishedAt == nil || ended.Counts.Failed != 1 || ended.Counts.Succeeded != 2 {
		t.Errorf("at its end it is %+v", ended)
	}
	got := d.ask(t, d.ann, http.MethodGet, path, nil, nil)
	if again := d.ask(t, d.ann, http.MethodGet, path, nil, map[string]string{"If-None-Match": got.header.Get("ETag")}); again.status != 304 {
		t.Errorf("with its ETag it is answered %d", again.status)
	}
	lines := resultLines(t, d.ask(t, d.ann, http.MethodGet, path+"/results?format=ndjson", nil, map[string]string{"Accept-Encoding": "gzip"}))
	states := map[string]job.State{}
	for _, line := range lines {
		states[*line.CustomID] = line.Status
	}
	want := map[string]job.State{"gate-7-0001": job.StateSucceeded, "gate-7-0002": job.StateFailed, "gate-7-0003": job.StateSucceeded}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
}

// finalize moves a batch on whose last item has ended, as the dispatcher does.
func (d *door) finalize(t testing.TB, id uuid.UUID) {
	t.Helper()
	eventually(t, "the batch has ended", func() bool {
		if err := d.store.SweepBatches(t.Context(), 10); err != nil {
			t.Fatal(err)
		}
		b, err := d.store.FindBatch(t.Context(), id)
		return err == nil && b.State.Terminal()
	})
}

func resultLines(t *testing.T, a answer) (lines []detection) {
	t.Helper()
	if a.status != 200 || a.header.Get("Content-Type") != ndjson {
		t.Fatalf("got %d %v %s", a.status, a.header, a.body)
	}
	body := io.Reader(bytes.NewReader(a.body))
	if a.header.Get("Content-Encoding") == "gzip" {
		body = unpacked(t, a.body)
	}
	for in := json.NewDecoder(body); in.More(); {
		var d detection
		if err := in.Decode(&d); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, d)
	}
	return lines
}

func TestBatchIsCancelledRetriedAndDeleted(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	b := d.expanded(t, d.ann, 2)
	path := batchPath(b.ID)
	d.refuses(t, d.ask(t, d.ann, http.MethodPost, path+"/retry", nil, nil), 409, problem.CodeConflict)
	d.refuses(t, d.ask(t, d.ann, http.MethodDelete, path, nil, nil), 409, problem.CodeConflict)
	d.fail(t, job.ItemID(b.ID, 1))
	d.complete(t, job.ItemID(b.ID, 2))
	d.finalize(t, b.ID)
	d.refuses(t, d.ask(t, d.ann, http.MethodPost, path+"/cancel", nil, nil), 409, problem.CodeConflict)
	again := batchFrom(t, d.ask(t, d.ann, http.MethodPost, path+"/retry", nil, nil), 202)
	if want := (batchCounts{Total: 2, Queued: 1, Succeeded: 1}); again.Counts != want || again.Run != 2 || again.FinishedAt != nil {
		t.Errorf("retried it is %+v", again)
	}
	cancelled := batchFrom(t, d.ask(t, d.ann, http.MethodPost, path+"/cancel", nil, nil), 202)
	if cancelled.Counts.Cancelled != 1 || cancelled.Status != job.BatchCancelled {
		t.Errorf("cancelled it is %+v", cancelled)
	}
	batchFrom(t, d.ask(t, d.ann, http.MethodPost, path+"/cancel", nil, nil), 200)
	d.refuses(t, d.ask(t, d.ann, http.MethodPost, path+"/retry", nil, nil), 409, problem.CodeConflict)
	gone := d.ask(t, d.ann, http.MethodDelete, path, nil, nil)
	var deleted deletedAnswer
	gone.into(t, &deleted)
	if gone.status != 200 || deleted.ID != b.ID || deleted.Deleted.Photos != 2 {
		t.Errorf("deleted: %d %s", gone.status, gone.body)
	}
	for _, of := range []string{"", "/items", "/results", "/events"} {
		d.refuses(t, d.ask(t, d.ann, http.MethodGet, path+of, nil, nil), 404, problem.CodeNotFound)
	}
	d.refuses(t, d.ask(t, d.ann, http.MethodDelete, path, nil, nil), 404, problem.CodeNotFound)
}

func TestRetryOfABatchWithoutFailures(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	b := d.expanded(t, d.ann, 1)
	d.complete(t, job.ItemID(b.ID, 1))
	d.finalize(t, b.ID)
	same := batchFrom(t, d.ask(t, d.ann, http.MethodPost, batchPath(b.ID)+"/retry", nil, nil), 200)
	if same.Run != 1 || same.Status != job.BatchCompleted {
		t.Errorf("got %+v, want it unchanged", same)
	}
}

func TestListsArePaged(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	var ids []uuid.UUID
	for range 3 {
		ids = append([]uuid.UUID{d.expanded(t, d.ann, 3).ID}, ids...)
	}
	d.expanded(t, d.bob, 1)
	var got []uuid.UUID
	for token := ""; ; {
		a := d.ask(t, d.ann, http.MethodGet, "/v1/batches?page_size=2&page_token="+token, nil, nil)
		var page listOf[batchAnswer]
		a.into(t, &page)
		for _, b := range page.Data {
			got = append(got, b.ID)
		}
		if page.Next == nil {
			break
		}
		token = *page.Next
	}
	if diff := cmp.Diff(ids, got); diff != "" {
		t.Errorf("batches (-want +got):\n%s", diff)
	}
	var lines []string
	for token := ""; ; {
		a := d.ask(t, d.ann, http.MethodGet, batchPath(ids[0])+"/items?page_size=1&page_token="+token, nil, nil)
		var page listOf[detection]
		a.into(t, &page)
		for _, item := range page.Data {
			lines = append(lines, *item.CustomID)
		}
		if page.Next == nil {
			break
		}
		token = *page.Next
	}
	if diff := cmp.Diff([]string{"gate-7-0001", "gate-7-0002", "gate-7-0003"}, lines); diff != "" {
		t.Errorf("items (-want +got):\n%s", diff)
	}
	for _, query := range []string{
		"page_size=0", "page_size=1001", "page_size=-1", "page_size=1e2", "page_size=99999999999999999999", "page_token=x", "page_token=" + strings.Repeat("A", 4000),
		"page_token=" + encodeToken("7"), "page_token=" + encodeToken("' OR 1=1 --"), "status=done", "status=%00",
	} {
		d.refuses(t, d.ask(t, d.ann, http.MethodGet, "/v1/batches?"+query, nil, nil), 400, problem.CodeInvalidRequest)
		query = strings.Replace(query, encodeToken("7"), encodeToken(ids[0].String()), 1)
		d.refuses(t, d.ask(t, d.ann, http.MethodGet, batchPath(ids[0])+"/items?"+query, nil, nil), 400, problem.CodeInvalidRequest)
	}
}

func TestSubmittedBatchIsKeptInS3(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	three := itemLines(3)
	var items []json.RawMessage
	for line := range strings.Lines(three) {
		items = append(items, json.RawMessage(line))
	}
	asJSON, err := json.MarshalIndent(map[string]any{"items": items}, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for kind, body := range map[string]string{ndjson: three, "application/json; charset=utf-8": string(asJSON)} {
		a := d.submitBatch(t, d.ann, kind, body)
		b := batchFrom(t, a, 202)
		if a.header.Get("Location") != batchPath(b.ID) || a.header.Get("Retry-After") == "" || b.Run != 1 || b.Source != job.BatchFromManifest || b.Error != nil {
			t.Errorf("%s: %v %s", kind, a.header, a.body)
		}
		stored, err := d.store.FindBatch(t.Context(), b.ID)
		if err != nil {
			t.Fatal(err)
		}
		manifest, err := d.images.Get(t.Context(), stored.SourceKey, 1<<20)
		if err != nil || string(manifest) != three {
			t.Errorf("%s: the manifest is %q, %v", kind, manifest, err)
		}
	}
	b := batchFrom(t, d.submitBatch(t, d.ann, "application/json", `{"s3_prefix":"s3://photos/2026/"}`), 202)
	if stored, err := d.store.FindBatch(t.Context(), b.ID); err != nil || stored.Prefix != "s3://photos/2026/" || stored.Source != job.BatchFromPrefix {
		t.Errorf("stored as %+v, %v", stored, err)
	}
}

func TestBadBatchesAreRefused(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) {
		c.Batch.MaxItemsJSON, c.Batch.MaxItems, c.Batch.MaxJSONBytes, c.Batch.MaxManifestBytes = 2, 3, 4000, 8000
	})
	cases := []struct {
		name, kind, body string
		status           int
		code             string
	}{
		{"no kind", "", "x", 415, problem.CodeUnsupportedFormat},
		{"text", "text/plain", "x", 415, problem.CodeUnsupportedFormat},
		{"no body", ndjson, "", 400, problem.CodeEmptyBody},
		{"empty lines", ndjson, "\n \n\r\n", 400, problem.CodeEmptyBody},
		{"too many lines", ndjson, itemLines(4), 413, problem.CodeTooManyItems},
		{"too large", ndjson, strings.Repeat("x", 8001), 413, problem.CodeFileTooLarge},
		{"not JSON", "application/json", "{", 400, problem.CodeInvalidRequest},
		{"two objects", "application/json", `{"items":[{}]} {}`, 400, problem.CodeInvalidRequest},
		{"nothing", "application/json", `{}`, 400, problem.CodeMissingField},
		{"no items", "application/json", `{"items":[]}`, 400, problem.CodeMissingField},
		{"both", "application/json", `{"items":[{}],"s3_prefix":"s3://b00/"}`, 400, problem.CodeMissingField},
		{"unknown", "application/json", `{"items":[{}],"colour":"red"}`, 400, problem.CodeUnexpectedParameter},
		{"too many items", "application/json", `{"items":[{},{},{}]}`, 413, problem.CodeTooManyItems},
		{"too large JSON", "application/json", `{"items":["` + strings.Repeat("x", 4000) + `"]}`, 413, problem.CodeFileTooLarge},
		{"no S3 address", "application/json", `{"s3_prefix":"https://example.com/"}`, 400, problem.CodeInvalidRequest},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			d.refuses(t, d.submitBatch(t, d.ann, c.kind, c.body), c.status, c.code)
		})
	}
	if batches, err := d.store.ListBatches(t.Context(), jobstore.BatchFilter{OwnerID: d.ann.user.ID, Limit: 1}); err != nil || len(batches) > 0 {
		t.Errorf("stored %v, %v", batches, err)
	}
	eventually(t, "no bytes are held", func() bool { return d.admission.memory.fits(d.admission.memory.limit) })
}

func TestAnotherUsersBatchIsInvisible(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	b := d.expanded(t, d.ann, 1)
	reader := d.keyWith(t, d.ann, "read")
	writer := d.keyWith(t, d.ann, "write")
	for _, r := range []struct{ method, of, scope string }{
		{http.MethodGet, "", "read"}, {http.MethodGet, "?wait=1", "read"}, {http.MethodGet, "/items", "read"}, {http.MethodGet, "/results", "read"},
		{http.MethodGet, "/events", "read"}, {http.MethodPost, "/cancel", "write"}, {http.MethodPost, "/retry", "write"}, {http.MethodDelete, "", "write"},
	} {
		path := batchPath(b.ID) + r.of
		d.refuses(t, d.ask(t, d.bob, r.method, path, nil, nil), 404, problem.CodeNotFound)
		d.refuses(t, d.ask(t, person{}, r.method, path, nil, nil), 401, problem.CodeUnauthenticated)
		d.refuses(t, d.ask(t, d.ann, r.method, "/v1/batches/nonsense"+r.of, nil, nil), 404, problem.CodeNotFound)
		without := reader
		if r.scope == "read" {
			without = writer
		}
		d.refuses(t, d.ask(t, without, r.method, path, nil, nil), 403, problem.CodeForbidden)
	}
	if got := batchFrom(t, d.ask(t, d.ann, http.MethodGet, batchPath(b.ID), nil, nil), 200); got.Counts.Queued != 1 {
		t.Errorf("a stranger made it %s", got.Status)
	}
}

// keyWith gives the person another key, with one scope.
func (d *door) keyWith(t *testing.T, p person, scope string) person {
	t.Helper()
	key, _, err := d.accounts.NewAPIKey(t.Context(), p.user, scope, []string{scope})
	if err != nil {
		t.Fatal(err)
	}
	p.key = key
	return p
}
