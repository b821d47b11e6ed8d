package ingest

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// TestPagesRetryLeavesItemsToTheDispatcher: an item of a batch that is tried again waits
// for its turn, and its timeline says who wanted it.
func TestPagesRetryLeavesItemsToTheDispatcher(t *testing.T) {
	t.Parallel()
	st := storesOfPages(t)
	d := openDoor(t, st, func(c *Config) { c.Dispatch.Interval = time.Hour })
	b := d.expanded(t, d.ann, 2)
	id := job.ItemID(b.ID, 1)
	claimed, refusal, _, err := d.store.Claim(t.Context(), id, 1, "w-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatal(refusal, err)
	}
	if failed, err := d.store.Fail(t.Context(), id, claimed.Row.Fence, job.Fail(job.CodeInferenceTimeout, nil)); err != nil || !failed {
		t.Fatal(failed, err)
	}
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
	if got := d.browse(t, http.MethodPost, "/photos/"+id.String()+"/retry", d.session(t, d.ann), nil, nil).status; got != http.StatusSeeOther {
		t.Fatalf("the retry gives %d", got)
	}
	again, err := d.store.Find(t.Context(), id)
	if err != nil || again.Row.State != job.StateQueued || again.Row.Publication != 2 {
		t.Errorf("after the retry it is %+v, %v", again.Row, err)
	}
	if depth, err := d.queue.Depth(t.Context()); err != nil || depth[job.LaneBatch] != (jobqueue.Depth{}) {
		t.Errorf("on the broker there is %+v, %v", depth, err)
	}
	for {
		msg, err := told.NextMsg(patience)
		if err != nil {
			t.Fatal("its timeline says nothing of the retry: ", err)
		}
		var event jobqueue.Event
		if err := json.Unmarshal(msg.Data, &event); err != nil {
			t.Fatal(err)
		}
		if event.PhotoID == id && event.Stage == jobqueue.StageReopened && strings.Contains(string(event.Fields), `"ann"`) {
			break
		}
	}
}
