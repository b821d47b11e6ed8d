package ingest

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
	"maskfleet/pkg/problem"
)

func TestHistoryIsFilteredAndPaged(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	var ids []job.ID
	for range 3 {
		ids = append([]job.ID{detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID}, ids...)
	}
	detectionOf(t, d.post(t, d.bob, photo(t), nil), 202)
	d.complete(t, ids[0])
	list := func(query string) (found []job.ID) {
		t.Helper()
		for token := ""; ; {
			a := d.ask(t, d.ann, http.MethodGet, "/v1/detections?page_size=2&"+query+"&page_token="+token, nil, nil)
			var page listOf[detection]
			a.into(t, &page)
			if a.status != 200 {
				t.Fatalf("%s: %d %s", query, a.status, a.body)
			}
			for _, one := range page.Data {
				found = append(found, one.ID)
			}
			if page.Next == nil {
				return found
			}
			token = *page.Next
		}
	}
	hour := func(d time.Duration) string { return url.QueryEscape(time.Now().Add(d).UTC().Format(time.RFC3339)) }
	for query, want := range map[string][]job.ID{
		"":                     ids,
		"status=succeeded":     ids[:1],
		"status=queued":        ids[1:],
		"category=some_masked": ids[:1],
		"category=no_faces":    nil,
		"from=" + hour(-time.Hour) + "&to=" + hour(time.Hour): ids,
		"from=" + hour(time.Hour):                             nil,
		"to=" + hour(-time.Hour):                              nil,
		"to=2001-01-01":                                       nil,
	} {
		if diff := cmp.Diff(want, list(query)); diff != "" {
			t.Errorf("%q (-want +got):\n%s", query, diff)
		}
	}
	for _, query := range []string{"from=yesterday", "to=99999-01-01T00:00:00Z", "from=0000-00-00", "category=many", "status=done", "page_size=x", "page_token=%ff"} {
		d.refuses(t, d.ask(t, d.ann, http.MethodGet, "/v1/detections?"+query, nil, nil), 400, problem.CodeInvalidRequest)
	}
}

func TestDeletionSaysWhatItRemoved(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	key := d.keyOf(t, id)
	delivery, err := d.queue.FetchWait(t.Context(), job.LaneInteractive, 20*time.Second)
	if err != nil || delivery == nil {
		t.Fatal(err)
	}
	d.complete(t, id)
	if err := delivery.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}
	path := "/v1/detections/" + id.String()
	detectionOf(t, d.ask(t, d.ann, http.MethodGet, path, nil, nil), 200) // now it is in the cache
	d.refuses(t, d.ask(t, d.bob, http.MethodDelete, path, nil, nil), 404, problem.CodeNotFound)
	d.refuses(t, d.ask(t, d.keyWith(t, d.ann, "read"), http.MethodDelete, path, nil, nil), 403, problem.CodeForbidden)
	a := d.ask(t, d.ann, http.MethodDelete, path, nil, nil)
	var got deletedAnswer
	a.into(t, &got)
	if want := (deletedAnswer{ID: id, Deleted: deletedCounts{Photos: 1, Objects: 2, Cached: 1}}); a.status != 200 || got != want {
		t.Errorf("got %d %s, want %+v", a.status, a.body, want)
	}
	d.refuses(t, d.ask(t, d.ann, http.MethodGet, path, nil, nil), 404, problem.CodeNotFound)
	d.refuses(t, d.ask(t, d.ann, http.MethodDelete, path, nil, nil), 404, problem.CodeNotFound)
	if _, err := d.images.Get(t.Context(), key, 1<<20); err == nil {
		t.Error("the original is still there")
	}
}
