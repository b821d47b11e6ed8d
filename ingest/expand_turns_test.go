package ingest

import (
	"context"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

// TestOneOwnersArchiveKeepsNobodyElseWaiting: while it is unpacked, as long as that
// takes, others' batches are expanded, and what the owner submits besides comes after.
func TestOneOwnersArchiveKeepsNobodyElseWaiting(t *testing.T) {
	t.Parallel()
	e := newExpansion(t)
	e.cfg.Interval = 10 * time.Millisecond
	all := e.memory.limit
	if !e.memory.take(all) { // a photo is unpacked once there is memory for it
		t.Fatal("the memory is in use")
	}
	links := []byte(`{"custom_id":"a","image":{"url":"https://example.org/"}}`)
	large := e.submit(t, job.BatchFromArchive, zipOf(t, file{name: "a.jpg", data: photo(t)}))
	after := e.submit(t, job.BatchFromManifest, links)
	e.owner = testenv.Owner(t, e.store)
	others := e.submit(t, job.BatchFromManifest, links)

	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- e.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	state := func(b job.Batch) job.BatchState {
		found, err := e.store.FindBatch(t.Context(), b.ID)
		if err != nil {
			t.Fatal(err)
		}
		return found.State
	}
	eventually(t, "another's batch is expanded", func() bool { return state(others) == job.BatchQueued })
	for _, b := range []job.Batch{large, after} {
		if got := state(b); got != job.BatchValidating {
			t.Errorf("a batch of who waits for memory is %s", got)
		}
	}
	e.memory.give(all)
	eventually(t, "all are expanded", func() bool { return state(large) == job.BatchQueued && state(after) == job.BatchQueued })
}
