package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"maskfleet/pkg/job"
)

// TestDoorKilledBeforeThePublish: promise 1. The row is committed, the message never
// reached the broker, the process is gone.
func TestDoorKilledBeforeThePublish(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.signal(t, "nats", syscall.SIGSTOP) // publishing hangs from here on
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		_, _ = e.post(ctx, drawnPhoto(t)) // the door dies under it
	}()
	var id job.ID
	eventually(t, "the row to be committed", func() error {
		photos, err := e.everyPhoto(t.Context())
		if err != nil || len(photos) != 1 {
			return fmt.Errorf("%d rows, %w", len(photos), err)
		}
		id = photos[0].ID
		return nil
	})
	e.kill(t, "ingest", syscall.SIGKILL)
	// What the door had sent may lie in the stopped broker's socket: it must not arrive.
	e.kill(t, "nats", syscall.SIGKILL)
	<-answered
	if p := e.photo(t, id); p.Row.Confirmed || p.Row.Publication != 1 {
		t.Fatalf("the broker got it all the same: %+v", p.Row)
	}
	e.start(t, "nats")
	e.start(t, "ingest")
	p := e.awaitState(t, id, job.StateSucceeded)
	if p.Row.Attempts != 1 {
		t.Errorf("got %d attempts, want 1", p.Row.Attempts)
	}
}

// TestBrokerKilledWithJobsWaiting: promise 1, and nobody is charged for it.
func TestBrokerKilledWithJobsWaiting(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.stop(t, "inference-worker")
	ids := e.submit(t, 10, drawnPhoto(t))
	e.kill(t, "nats", syscall.SIGKILL)
	e.start(t, "nats")
	e.start(t, "inference-worker")
	e.finishedAtOnce(t, ids)
}

// TestBrokerStoreDeleted: promise 1. JetStream is only the fastest way to keep it.
func TestBrokerStoreDeleted(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.stop(t, "inference-worker")
	ids := e.submit(t, 10, drawnPhoto(t))
	e.kill(t, "nats", syscall.SIGKILL)
	emptyDir(t, e.Part("nats").DataDir())
	e.start(t, "nats")
	e.start(t, "inference-worker")
	e.finishedAtOnce(t, ids)
}

func emptyDir(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) == 0 {
		t.Fatalf("nothing to delete in %s: %v", dir, err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(dir, entry.Name())); err != nil {
			t.Fatal(err)
		}
	}
}

// finishedAtOnce waits for photos of which nobody may be charged a second attempt.
func (e *env) finishedAtOnce(t *testing.T, ids []job.ID) {
	t.Helper()
	for _, p := range e.awaitAll(t, ids, job.StateSucceeded) {
		if p.Row.Attempts != 1 {
			t.Errorf("photo %s: %d attempts, want 1", p.ID, p.Row.Attempts)
		}
	}
	e.settled(t)
}

// TestBacklogIsNotDoubled: the publisher looks at a long backlog many times and finds
// each photo where it is.
func TestBacklogIsNotDoubled(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	e.stop(t, "inference-worker")
	ids := e.submit(t, 20, drawnPhoto(t))
	began := time.Now()
	eventually(t, "the publisher to look twice", func() error {
		if time.Since(began) < 6*time.Second { // PUBLISHER_UNSEEN_FOR is 2 s
			return fmt.Errorf("only %s have passed", time.Since(began).Round(time.Second))
		}
		return nil
	})
	depth, err := e.queue.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := depth[job.LaneInteractive].Pending; got != len(ids) {
		t.Errorf("%d messages wait for %d photos", got, len(ids))
	}
	for _, id := range ids {
		if p := e.photo(t, id); p.Row.Publication != 1 || !p.Row.Confirmed {
			t.Errorf("photo %s was published again: %+v", id, p.Row)
		}
	}
	e.start(t, "inference-worker")
	e.finishedAtOnce(t, ids)
}

// TestRedriveWithinTheDuplicateWindow: a photo that failed and is queued again by a
// person really runs again, although the broker has seen it minutes ago.
func TestRedriveWithinTheDuplicateWindow(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	id := e.submit(t, 1, faultyPhoto(t, "crash"))[0]
	failed := e.awaitState(t, id, job.StateFailed)
	e.settled(t)
	changed, err := e.store.Reopen(t.Context(), id)
	if err != nil || !changed {
		t.Fatalf("reopening: %t, %v", changed, err)
	}
	var again job.Photo
	eventually(t, "the photo to run again", func() error {
		again = e.photo(t, id)
		if again.Row.State != job.StateFailed || again.Row.Fence <= failed.Row.Fence {
			return fmt.Errorf("%s, fence %d", again.Row.State, again.Row.Fence)
		}
		return nil
	})
	if again.Row.Attempts != 2 {
		t.Errorf("got %d attempts, want 2: a re-drive starts from none", again.Row.Attempts)
	}
	e.settled(t)
}
