package ingest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// TestTimeline: what the door does for a photo stands in its timeline.
func TestTimeline(t *testing.T) {
	t.Parallel()
	st := sharedStores(t)
	d := openDoor(t, st, func(c *Config) {
		c.Publisher.Interval, c.Publisher.UnconfirmedFor = time.Hour, time.Microsecond
	})
	listener, err := nats.Connect(st.nats.URL, nats.UserInfo(st.nats.User, st.nats.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	told, err := listener.SubscribeSync("events.photo.>")
	if err == nil {
		err = listener.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	next := func() (event jobqueue.Event, fields string) {
		t.Helper()
		msg, err := told.NextMsg(patience)
		if err == nil {
			err = json.Unmarshal(msg.Data, &event)
		}
		if err != nil {
			t.Fatal(err)
		}
		return event, string(event.Fields)
	}

	data := photo(t)
	id := detectionOf(t, d.post(t, d.ann, data, nil), 202).ID
	if event, fields := next(); event.PhotoID != id || event.Stage != jobqueue.StageAccepted || event.At.IsZero() {
		t.Errorf("got %+v %s, want its acceptance", event, fields)
	}
	claimed, refusal, _, err := d.store.Claim(t.Context(), id, 1, "w-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatalf("claiming: %v %v", refusal, err)
	}
	// The worker dies before it has written the dead letter.
	if changed, err := d.store.Fail(t.Context(), id, claimed.Row.Fence, job.Fail(job.CodeDecodeFailed, nil)); err != nil || !changed {
		t.Fatalf("failing: %t %v", changed, err)
	}
	if err := d.publisher.writeDeadLetters(t.Context()); err != nil {
		t.Fatal(err)
	}
	if event, fields := next(); event.PhotoID != id || event.Stage != jobqueue.StageDeadLettered || fields != `{"code":"decode_failed"}` {
		t.Errorf("got %+v %s, want its dead letter", event, fields)
	}
}
