package e2e

import (
	"fmt"
	"syscall"
	"testing"

	"maskfleet/pkg/job"
)

// TestRetryThatWaitsInItsRow: a delay too long for the broker is kept in MySQL, and
// the publisher brings the photo back.
func TestRetryThatWaitsInItsRow(t *testing.T) {
	t.Parallel()
	e := newEnv(t, setting{"inference-worker", "RETRY_ON_BROKER", "1ms"})
	id := e.submit(t, 1, faultyPhoto(t, "crash-once"))[0]
	p := e.awaitState(t, id, job.StateSucceeded)
	if p.Row.Attempts != 2 || p.Row.SlotDeaths != 1 {
		t.Errorf("got %d attempts and %d slot deaths, want 2 and 1", p.Row.Attempts, p.Row.SlotDeaths)
	}
	if p.Row.Publication < 2 {
		t.Errorf("publication %d: it did not wait in its row", p.Row.Publication)
	}
	e.settled(t)
}

// TestPhotoThatLosesEveryWorker: attempts are charged at the claim, so that a photo
// cannot take down one worker after another for ever.
func TestPhotoThatLosesEveryWorker(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	id := e.submit(t, 1, faultyPhoto(t, "slow=5s"))[0]
	for attempt := 1; attempt <= job.MaxAttempts; attempt++ {
		eventually(t, fmt.Sprintf("attempt %d", attempt), func() error {
			p := e.photo(t, id)
			if p.Row.State != job.StateProcessing || p.Row.Attempts != attempt {
				return fmt.Errorf("%s after %d attempts", p.Row.State, p.Row.Attempts)
			}
			return nil
		})
		e.kill(t, "inference-worker", syscall.SIGKILL)
		e.start(t, "inference-worker")
	}
	p := e.awaitState(t, id, job.StateFailed)
	if p.Failure.Code != job.CodeWorkerLost || p.Row.Attempts != job.MaxAttempts {
		t.Errorf("ended %v after %d attempts, want worker_lost after %d", p.Failure, p.Row.Attempts, job.MaxAttempts)
	}
	e.settled(t)
}

// TestMessageWithoutARow goes to DEAD and not round and round.
func TestMessageWithoutARow(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	stray := job.NewMessage(job.Photo{ID: id, Lane: job.LaneBatch}, 1)
	if err := e.queue.Publish(t.Context(), stray); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the stray message to be in DEAD", func() error {
		n, err := e.queue.DeadLetters(t.Context())
		if err != nil || n != 1 {
			return fmt.Errorf("%d dead letters, %w", n, err)
		}
		return nil
	})
	for _, p := range e.awaitAll(t, e.submit(t, 2, drawnPhoto(t)), job.StateSucceeded) {
		if p.Row.Attempts != 1 {
			t.Errorf("bystander %s was charged %d attempts", p.ID, p.Row.Attempts)
		}
	}
}
