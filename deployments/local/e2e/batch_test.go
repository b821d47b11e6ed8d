package e2e

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"syscall"
	"testing"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// TestBatchSurvivesItsDoorAndItsWorker: promises 1 and 2, for every item of a batch.
// The door that expands it is killed half way, and so is the worker with items in
// hand; each item ends once all the same, and the batch counts it once.
func TestBatchSurvivesItsDoorAndItsWorker(t *testing.T) {
	t.Parallel()
	const items, bad = 300, 10
	e := newEnv(t,
		setting{"ingest", "EXPANDER_INTERVAL", "50ms"}, setting{"ingest", "EXPANDER_LEASE", "1s"},
		setting{"ingest", "DISPATCHER_INTERVAL", "100ms"})
	id := e.killDoorWhileItExpands(t, func() *bytes.Buffer {
		good := base64.StdEncoding.EncodeToString(faultyPhoto(t, "slow=20ms"))
		var manifest bytes.Buffer
		for i := range items {
			image := good
			if i%(items/bad) == 0 {
				image = base64.StdEncoding.EncodeToString([]byte("no photo"))
			}
			fmt.Fprintf(&manifest, `{"custom_id":"gate-%d","image":{"base64":%q}}`+"\n", i, image)
		}
		return &manifest
	})
	e.start(t, "ingest")

	var b job.Batch
	eventually(t, "some items to be done", func() error {
		if b = e.batch(t, id); b.Counts.Succeeded < 20 {
			return fmt.Errorf("%+v", b.Counts)
		}
		return nil
	})
	e.killWorkerWithItemsInHand(t, id)
	e.start(t, "inference-worker")

	eventually(t, "the batch to be completed", func() error {
		if b = e.batch(t, id); b.State != job.BatchCompleted {
			return fmt.Errorf("%s, %+v", b.State, b.Counts)
		}
		return nil
	})
	want := job.BatchCounts{Total: items, Succeeded: items - bad, Failed: bad, NoFaces: items - bad}
	if b.Counts != want || b.Run != 1 {
		t.Errorf("the batch counts %+v in run %d, want %+v in run 1", b.Counts, b.Run, want)
	}
	names := map[string]bool{}
	for p, err := range e.store.Results(t.Context(), id) {
		if err != nil {
			t.Fatal(err)
		}
		names[p.CustomID] = true
		if failed := p.Failure != nil && p.Failure.Code == job.CodeUnsupportedFormat; failed != (p.Result == nil) {
			t.Errorf("%s ended %s, %v", p.CustomID, p.Row.State, p.Failure)
		}
		if p.Row.State == job.StateSucceeded && p.Row.Attempts > 2 {
			t.Errorf("%s took %d attempts: one worker was killed", p.CustomID, p.Row.Attempts)
		}
	}
	if len(names) != items {
		t.Errorf("%d items ended, want %d", len(names), items)
	}
	e.settled(t)
}

// killDoorWhileItExpands submits a batch and kills the door with some of its items in
// their rows. A door that was faster than that gets another batch.
func (e *env) killDoorWhileItExpands(t *testing.T, manifest func() *bytes.Buffer) uuid.UUID {
	t.Helper()
	for range 5 {
		id := e.submitBatch(t, manifest())
		eventually(t, "the batch to be half expanded", func() error {
			if b := e.batch(t, id); b.Counts.Total == 0 {
				return fmt.Errorf("%s with no items", b.State)
			}
			return nil
		})
		e.kill(t, "ingest", syscall.SIGKILL)
		if e.batch(t, id).State == job.BatchValidating {
			return id
		}
		e.start(t, "ingest")
	}
	t.Fatal("no door was killed while it expanded: the test proves nothing")
	return uuid.UUID{}
}

// killWorkerWithItemsInHand looks at a worker that stands still, so that what it has
// in hand is what it dies with.
func (e *env) killWorkerWithItemsInHand(t *testing.T, id uuid.UUID) {
	t.Helper()
	eventually(t, "the worker to have items in hand", func() error {
		e.signal(t, "inference-worker", syscall.SIGSTOP)
		if len(e.itemsIn(t, id, job.StateProcessing)) > 0 {
			return nil
		}
		e.signal(t, "inference-worker", syscall.SIGCONT)
		return fmt.Errorf("it has none of the batch, which is %s", e.batch(t, id).State)
	})
	e.kill(t, "inference-worker", syscall.SIGKILL)
}

func (e *env) submitBatch(t *testing.T, manifest *bytes.Buffer) uuid.UUID {
	t.Helper()
	resp := e.do(t, http.MethodPost, "/v1/batches", "application/x-ndjson", manifest)
	defer resp.Body.Close()
	var accepted struct {
		ID uuid.UUID `json:"id"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&accepted); err != nil || resp.StatusCode != http.StatusAccepted {
		t.Fatalf("batch not accepted: %d, %v", resp.StatusCode, err)
	}
	return accepted.ID
}

func (e *env) batch(t *testing.T, id uuid.UUID) job.Batch {
	t.Helper()
	b, err := e.store.FindBatch(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (e *env) itemsIn(t *testing.T, id uuid.UUID, state job.State) []job.Photo {
	t.Helper()
	items, err := e.store.Items(t.Context(), jobstore.ItemFilter{BatchID: id, State: state, Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return items
}
