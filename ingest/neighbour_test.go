package ingest

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/httpserver"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv"
)

// ready says what a balancer is told.
func (d *door) ready(t *testing.T) bool {
	t.Helper()
	switch status := d.ask(t, person{}, http.MethodGet, "/readyz", nil, nil).status; status {
	case http.StatusOK, http.StatusServiceUnavailable:
		return status == http.StatusOK
	default:
		t.Fatalf("/readyz answers %d", status)
		return false
	}
}

// TestDoorFollowsItsInstance: while the worker beside it drains the door is not ready,
// its streams end in good order, and it serves on; all of that is taken back.
func TestDoorFollowsItsInstance(t *testing.T) {
	t.Parallel()
	d := openDoor(t, sharedStores(t), func(c *Config) { c.DrainLinger = 50 * time.Millisecond })
	tell := func(w jobqueue.Worker) {
		t.Helper()
		if err := d.queue.PutWorker(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	beside := jobqueue.Worker{ID: "w-1", Instance: "i-test"}
	tell(beside)
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), 202).ID.String()
	events := func() io.Reader {
		return d.stream(t, "/v1/detections/"+id+"/events", "Authorization", "Bearer "+d.ann.key)
	}
	open := events()

	tell(jobqueue.Worker{ID: "w-2", Instance: "i-other", Draining: true, Drain: jobqueue.DrainCommand})
	stopping := beside
	stopping.Draining, stopping.Drain = true, jobqueue.DrainStopping
	tell(stopping) // a deploy of the worker alone
	draining := stopping
	draining.Drain = jobqueue.DrainCommand
	if !d.ready(t) {
		t.Error("not ready because of what is another's")
	}
	tell(draining)
	eventually(t, "the balancer told of the drain", func() bool { return !d.ready(t) })
	text, err := io.ReadAll(open)
	if err != nil || !strings.HasPrefix(string(text), "retry: ") {
		t.Errorf("the stream ended with %v: %q, want its proper end and when to come back", err, text)
	}
	if text, err := io.ReadAll(events()); err != nil || !strings.HasPrefix(string(text), "retry: ") {
		t.Errorf("a stream that came late ended with %v: %q", err, text)
	}
	detectionOf(t, d.post(t, d.ann, photo(t), nil), 202) // served on

	tell(beside)
	eventually(t, "the balancer told of the recall", func() bool { return d.ready(t) })
	again, ended := events(), make(chan string, 1)
	go func() {
		text, err := io.ReadAll(again)
		if err != nil {
			t.Errorf("a stream after the recall ended with %v", err)
		}
		ended <- string(text)
	}()
	d.complete(t, detectionOf(t, d.ask(t, d.ann, http.MethodGet, "/v1/detections/"+id, nil, nil), 200).ID)
	if text := <-ended; !strings.Contains(text, "event: end") {
		t.Errorf("a stream after the recall told %q", text)
	}

	tell(draining)
	eventually(t, "drained again", func() bool { return !d.ready(t) })
	if err := d.queue.RemoveWorker(t.Context(), beside.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "ready without a worker", func() bool { return d.ready(t) })
}

// TestRecallBeforeStreamsEnd: what was to come is taken back with the drain, and what
// is told again with every heartbeat does not put it off.
func TestRecallBeforeStreamsEnd(t *testing.T) {
	t.Parallel()
	n := &neighbour{instance: "i", linger: time.Hour, health: &httpserver.Health{}, log: testenv.Logger(t)}
	n.turn(t.Context(), true)
	due := n.due
	if n.turn(t.Context(), true); n.health.Ready() == nil || due == nil || n.due != due {
		t.Errorf("drained: ready %v, streams end by %v and then %v", n.health.Ready(), due, n.due)
	}
	if n.turn(t.Context(), false); n.health.Ready() != nil || n.due != nil {
		t.Errorf("recalled: ready %v, streams end by %v", n.health.Ready(), n.due)
	}
}

func TestInstanceDrainsWhenAllOfItDoes(t *testing.T) {
	t.Parallel()
	worker := func(instance string, drain jobqueue.Drain) jobqueue.Worker {
		return jobqueue.Worker{Instance: instance, Drain: drain}
	}
	for name, c := range map[string]struct {
		workers []jobqueue.Worker
		want    bool
	}{
		"nobody":              {nil, false},
		"drained":             {[]jobqueue.Worker{worker("i", jobqueue.DrainCommand)}, true},
		"to be taken away":    {[]jobqueue.Worker{worker("i", jobqueue.DrainSpot)}, true},
		"one of two":          {[]jobqueue.Worker{worker("i", jobqueue.DrainCommand), worker("i", "")}, false},
		"both":                {[]jobqueue.Worker{worker("i", jobqueue.DrainCommand), worker("i", jobqueue.DrainSpot)}, true},
		"its process stops":   {[]jobqueue.Worker{worker("i", jobqueue.DrainStopping)}, false},
		"another's":           {[]jobqueue.Worker{worker("j", jobqueue.DrainCommand)}, false},
		"another's and ours":  {[]jobqueue.Worker{worker("j", ""), worker("i", jobqueue.DrainCommand)}, true},
		"an unnamed instance": {[]jobqueue.Worker{worker("", jobqueue.DrainCommand)}, false},
	} {
		if got := drains("i", c.workers); got != c.want {
			t.Errorf("%s: got %t", name, got)
		}
	}
}

func TestDoorTellsWhatItServed(t *testing.T) {
	t.Parallel()
	const lately = 5 * time.Second // readings come every 50 ms: an hour of them is much to read again and again
	d := openDoor(t, sharedStores(t), nil)
	for range 3 {
		d.ask(t, d.ann, http.MethodGet, "/v1/limits", nil, nil)
		d.ready(t)
	}
	eventually(t, "a reading of three requests", func() bool {
		got, err := d.queue.DoorReadings(t.Context(), "i-test", lately)
		if err != nil || len(got) == 0 {
			return false
		}
		last := got[len(got)-1]
		if last.Requests > 3 || !last.Ready {
			t.Fatalf("told %+v", last)
		}
		return last.Requests == 3
	})
	p := d.finishedPhoto(t, d.ann)
	if _, err := d.eraser.erase(t.Context(), d.ann.user.ID, p.ID); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a reading of what it erased", func() bool {
		got, err := d.queue.DoorReadings(t.Context(), "i-test", lately)
		// Once, although the door's own round may have come to the photo in the same moment.
		return err == nil && len(got) > 0 && got[len(got)-1].Erased != nil && got[len(got)-1].Erased.Photos == 1
	})
}
