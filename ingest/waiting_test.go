package ingest

import (
	"net/http"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"

	"maskfleet/pkg/job"
)

func TestNoticeWakesWhoWaits(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.Waiting.PollInterval = time.Hour })
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	waiting := d.waitsFor(t, id, "25")
	d.complete(t, id)
	if err := d.cache.Notify(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if got := detectionOf(t, <-waiting, 200); got.Status != job.StateSucceeded {
		t.Errorf("got %v, want the result that the notice told of", got.Status)
	}
}

func TestStopAnswersThoseWhoWait(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID
	waiting := d.waitsFor(t, id, "30")
	began := time.Now()
	d.stop()
	if got := detectionOf(t, <-waiting, 200); got.Status != job.StateQueued {
		t.Errorf("got %v, want the photo as it stands", got.Status)
	}
	if err := <-d.ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 20*time.Second {
		t.Errorf("the stop took %v", took)
	}
}

// waitsFor begins a long poll and returns once the door waits for the photo.
func (d *door) waitsFor(t *testing.T, id job.ID, seconds string) <-chan answer {
	t.Helper()
	waiting := make(chan answer, 1)
	go func() {
		a, err := d.try(t.Context(), d.ann, http.MethodGet, "/v1/detections/"+id.String()+"?wait="+seconds, nil, nil)
		if err != nil {
			t.Error(err)
		}
		waiting <- a
	}()
	eventually(t, "the door waits", func() bool { return testutil.ToFloat64(d.metrics.waiters) == 1 })
	return waiting
}

func TestHubForgetsWhoLeft(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), nil)
	id := sampleID()
	_, first := d.hub.subscribe(id)
	woken, second := d.hub.subscribe(id)
	d.hub.changed(id)
	d.hub.changed(id) // not lost, not doubled: it has not looked yet
	<-woken
	first()
	second()
	second()
	if n := len(d.hub.watched()); n != 0 || testutil.ToFloat64(d.metrics.waiters) != 0 {
		t.Errorf("%d topics and %v waiters are left", n, testutil.ToFloat64(d.metrics.waiters))
	}
	d.hub.close()
	late, _ := d.hub.subscribe(id)
	if _, open := <-late; open {
		t.Error("a subscription after the end was woken")
	}
}
