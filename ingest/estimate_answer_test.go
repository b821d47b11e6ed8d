package ingest

import (
	"bufio"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/jobqueue"
)

// TestAnswersSayHowLongItTakes: of a photo and of a batch, once there is a worker that
// might do them.
func TestAnswersSayHowLongItTakes(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	lonely := detectionOf(t, d.post(t, d.ann, photo(t), nil), http.StatusAccepted)
	if lonely.EstimatedWaitMS != nil {
		t.Errorf("without a worker it takes %d ms", *lonely.EstimatedWaitMS)
	}
	d.keepWorker(t, jobqueue.Worker{ID: "w-test", Slots: 2})
	lines := &strings.Builder{}
	for i := range 400 {
		fmt.Fprintf(lines, `{"custom_id":"%d","image":{"url":"https://example.org/"}}`+"\n", i)
	}
	a := d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(lines.String()), map[string]string{"Content-Type": ndjson})
	var b batchAnswer
	a.into(t, &b)
	eventually(t, "the batch says when it may be done", func() bool {
		d.ask(t, d.ann, http.MethodGet, "/v1/batches/"+b.ID.String(), nil, nil).into(t, &b)
		return b.EstimatedDoneAt != nil
	})
	// Two slots, half a second a photo as long as none is known: four a second.
	if left := time.Until(time.Time(*b.EstimatedDoneAt)); left < 50*time.Second || left > 200*time.Second {
		t.Errorf("400 photos are done in %v, want about 100 s", left)
	}
	answer := d.post(t, d.ann, photo(t), nil)
	waiting := detectionOf(t, answer, http.StatusAccepted)
	if waiting.EstimatedWaitMS == nil || *waiting.EstimatedWaitMS < 250 || *waiting.EstimatedWaitMS > 2000 {
		t.Errorf("a photo beside the batch takes %v ms, want some 500", waiting.EstimatedWaitMS)
	}
	if after, err := strconv.Atoi(answer.header.Get("Retry-After")); err != nil || after < 1 || after > 2 {
		t.Errorf("Retry-After: %d, %v", after, err)
	}
}

// TestEveryQueuedAnswerSaysHowLongItTakes: in lists, in events and on pages, too.
func TestEveryQueuedAnswerSaysHowLongItTakes(t *testing.T) {
	t.Parallel()
	d := openDoor(t, storesOfPages(t), nil)
	d.keepWorker(t, jobqueue.Worker{ID: "w-test", Slots: 1})
	var last detection // of a line that grows until its length is known
	eventually(t, "a photo says that it waits long", func() bool {
		last = detectionOf(t, d.post(t, d.ann, photo(t), nil), http.StatusAccepted)
		return last.EstimatedWaitMS != nil && *last.EstimatedWaitMS > 4000
	})
	page := d.browse(t, http.MethodGet, "/photos/"+last.ID.String(), d.session(t, d.ann), nil, nil)
	if !strings.Contains(string(page.body), "Waiting in the queue, about ") {
		t.Error("the photo's page does not say")
	}
	var list listOf[detection]
	d.ask(t, d.ann, http.MethodGet, "/v1/detections?page_size=1", nil, nil).into(t, &list)
	if len(list.Data) != 1 || list.Data[0].EstimatedWaitMS == nil {
		t.Errorf("the list does not say: %+v", list.Data)
	}
	told := bufio.NewReader(d.stream(t, "/v1/detections/"+last.ID.String()+"/events", "Authorization", "Bearer "+d.ann.key))
	for line := ""; !strings.Contains(line, `"estimated_wait_ms"`); {
		var err error
		if line, err = told.ReadString('\n'); err != nil {
			t.Fatalf("the events do not say: %v", err)
		}
	}
	var b batchAnswer
	d.ask(t, d.ann, http.MethodPost, "/v1/batches", strings.NewReader(`{"custom_id":"a","image":{"url":"https://example.org/"}}`),
		map[string]string{"Content-Type": ndjson}).into(t, &b)
	if b.EstimatedDoneAt == nil {
		t.Error("a batch that was just taken does not say")
	}
}

// TestBurstThatDoesNotMoveSaysHowLongItTakes: of the last photo as of the first, at its
// acceptance and once the line was measured anew.
func TestBurstThatDoesNotMoveSaysHowLongItTakes(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	d.keepWorker(t, jobqueue.Worker{ID: "w-test", Slots: 1})
	eventually(t, "the worker is known", func() bool {
		_, known := d.estimator.Measured(t.Context())
		return known
	})
	const photos = 40
	const usual = 500 * time.Millisecond // each, as long as none is known: two a second
	var burst []detection
	for range photos {
		burst = append(burst, detectionOf(t, d.post(t, d.ann, photo(t), nil), http.StatusAccepted))
	}
	within := func(when string, got detection, place int) {
		t.Helper()
		want := time.Duration(place) * usual
		if got.EstimatedWaitMS == nil {
			t.Errorf("%s, photo %d does not say", when, place)
			return
		}
		if wait := time.Duration(*got.EstimatedWaitMS) * time.Millisecond; wait > 2*want+usual || wait < want/2 {
			t.Errorf("%s, photo %d takes %v, want about %v", when, place, wait, want)
		}
	}
	within("at its acceptance", burst[photos-1], photos)
	over := time.Now()
	eventually(t, "the line was measured anew", func() bool {
		at, _ := d.estimator.Measured(t.Context())
		return at.After(over)
	})
	for _, place := range []int{1, photos / 2, photos} {
		a := d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+burst[place-1].ID.String(), nil, nil)
		within("a while later", detectionOf(t, a, http.StatusOK), place)
	}
}

// keepWorker has a worker live as long as the test: on a busy machine that is longer
// than one sign of life counts.
func (d *door) keepWorker(t *testing.T, w jobqueue.Worker) {
	t.Helper()
	if err := d.queue.PutWorker(t.Context(), w); err != nil {
		t.Fatal(err)
	}
	go func() {
		for t.Context().Err() == nil {
			_ = d.queue.PutWorker(t.Context(), w) // the next one may be heard
			select {
			case <-t.Context().Done():
			case <-time.After(time.Second):
			}
		}
	}()
}
