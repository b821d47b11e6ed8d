package client_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/client"
	"maskfleet/pkg/client/clienttest"
)

// makeBatch submits a manifest of n items.
func makeBatch(t *testing.T, c *client.Client, n int) client.Batch {
	t.Helper()
	var manifest strings.Builder
	for i := range n {
		fmt.Fprintf(&manifest, `{"custom_id": "c%d", "image": {"url": "https://example.com/%d.jpg"}}`+"\n", i, i)
	}
	b, err := c.CreateBatchFrom(t.Context(), client.Manifest, client.FromBytes([]byte(manifest.String())))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestItemsGoThroughAllPages(t *testing.T) {
	t.Parallel()
	door, c := openDoor(t, nil)
	b := makeBatch(t, c, 5)
	door.Finish(b.ID, 3)
	for status, want := range map[client.Status][]string{
		"":               {"c0", "c1", "c2", "c3", "c4"},
		client.Queued:    {"c3", "c4"},
		client.Succeeded: {"c0", "c1", "c2"},
	} {
		var got []string
		for d, err := range c.Items(t.Context(), b.ID, client.DetectionFilter{Status: status}) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, d.CustomID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q (-want +got):\n%s", status, diff)
		}
	}
}

// TestResultsComeOnceThroughBrokenStreams: every answer breaks off after some lines,
// in the middle of one.
func TestResultsComeOnceThroughBrokenStreams(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			n := int(asked.Add(1))
			for i := range 10 {
				fmt.Fprintf(w, `{"id": "d%d", "status": "succeeded"}`+"\n", i)
				if i == 2*n {
					fmt.Fprint(w, `{"id": "half`)
					w.(http.Flusher).Flush()
					panic(http.ErrAbortHandler)
				}
			}
			return true
		}
	})
	var got []string
	for d, err := range c.Results(t.Context(), "b1") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, d.ID)
	}
	if want := "d0 d1 d2 d3 d4 d5 d6 d7 d8 d9"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

func TestResultsThatAlwaysBreakAreAnError(t *testing.T) {
	t.Parallel()
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			fmt.Fprint(w, `{"id": "d0"}`+"\n")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	var last error
	results := 0
	for _, err := range c.Results(t.Context(), "b1") {
		if last = err; err == nil {
			results++
		}
	}
	if last == nil || results != 1 {
		t.Errorf("%d results, then %v; want 1 and an error", results, last)
	}
}

func TestResultsAsCSV(t *testing.T) {
	t.Parallel()
	door, c := openDoor(t, nil)
	b := makeBatch(t, c, 2)
	door.Finish(b.ID, 1)
	csv, err := c.ResultsCSV(t.Context(), b.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer csv.Close()
	got, err := io.ReadAll(csv)
	if want := "custom_id,id,status\nc0,b1-d1,succeeded\n"; err != nil || string(got) != want {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWaitBatchGoesOnAfterABrokenStream(t *testing.T) {
	t.Parallel()
	var streams atomic.Int32
	var door *clienttest.Door
	door, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "/events") || streams.Add(1) > 3 {
				return false
			}
			fmt.Fprint(w, "event: progress\ndata: {\"id\": \"b1\",\ndata:  \"status\": \"in_progress\"}\n\n: comment\n\ndata: half")
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		}
	})
	b := makeBatch(t, c, 2)
	seen := 0
	ended, err := c.WaitBatch(t.Context(), b.ID, func(client.Batch) {
		if seen++; seen == 4 {
			door.Finish(b.ID, -1)
		}
	})
	if err != nil || !ended.Succeeded() || seen < 5 {
		t.Errorf("got %+v after %d, %v", ended, seen, err)
	}
}

func TestWaitBatchWithoutEvents(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"too many streams": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "3600")
			clienttest.Refuse(w, http.StatusTooManyRequests, "rate_limited", "Too many streams.")
		},
		"held back on the way": func(w http.ResponseWriter, r *http.Request) {
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			door, c := openDoor(t, func(d *clienttest.Door) {
				d.Before = func(w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, "/events") {
						return false
					}
					answer(w, r)
					return true
				}
			})
			client.EndSilenceAfter(c, 20*time.Millisecond)
			b := makeBatch(t, c, 2)
			ended, err := c.WaitBatch(t.Context(), b.ID, func(client.Batch) { door.Finish(b.ID, 1) })
			if err != nil || !ended.Succeeded() {
				t.Errorf("got %+v, %v", ended, err)
			}
		})
	}
}

func TestWaitBatchSaysThatThereIsNone(t *testing.T) {
	t.Parallel()
	_, c := openDoor(t, func(d *clienttest.Door) {
		d.Before = func(w http.ResponseWriter, _ *http.Request) bool {
			clienttest.Refuse(w, http.StatusNotFound, "not_found", "There is no such batch.")
			return true
		}
	})
	_, err := c.WaitBatch(t.Context(), "b9", nil)
	var refused *client.APIError
	if !errors.As(err, &refused) || refused.Code != "not_found" {
		t.Errorf("got %v", err)
	}
}

func TestRetryRunsWhatFailed(t *testing.T) {
	t.Parallel()
	door, c := openDoor(t, func(d *clienttest.Door) { d.Finishes = true })
	b, err := c.CreateBatch(t.Context(), []client.Item{{CustomID: "good"}, {CustomID: "bad"}})
	if err != nil || b.Status != client.BatchCompleted || b.Succeeded() {
		t.Fatalf("got %+v, %v; want one failure", b, err)
	}
	b, err = c.Retry(t.Context(), b.ID)
	if err != nil || b.Run != 2 || !b.Succeeded() {
		t.Errorf("got %+v, %v", b, err)
	}
	if deleted, err := c.DeleteBatch(t.Context(), b.ID); err != nil || deleted.Photos != 2 {
		t.Errorf("deleting: %+v, %v", deleted, err)
	}
	if n := len(door.Batches()); n != 1 {
		t.Errorf("%d batches, want 1", n)
	}
}

func TestCancelEndsWhatWaits(t *testing.T) {
	t.Parallel()
	door, c := openDoor(t, nil)
	b := makeBatch(t, c, 3)
	door.Finish(b.ID, 1)
	b, err := c.Cancel(t.Context(), b.ID)
	if err != nil || b.Status != client.BatchCancelled || b.Counts.Cancelled != 2 || b.Counts.Succeeded != 1 {
		t.Errorf("got %+v, %v", b, err)
	}
}
