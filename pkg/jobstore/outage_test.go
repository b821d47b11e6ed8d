package jobstore_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// TestServerAwayIsUnavailable stops MariaDB in every way it can stop: each call must
// say ErrUnavailable within seconds, and work again once the server is back.
func TestServerAwayIsUnavailable(t *testing.T) {
	t.Parallel()
	server := testenv.NewMariaDB(t)
	store := server.JobStore(t)
	p := accept(t, store)

	away := func(how string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		calls := map[string]func() error{
			"Ping":    func() error { return store.Ping(ctx) },
			"Find":    func() error { return second(store.Find(ctx, p.ID)) },
			"List":    func() error { return second(store.List(ctx, jobstore.Filter{OwnerID: p.OwnerID, Limit: 1})) },
			"Confirm": func() error { return second(store.Confirm(ctx, p.ID, 1)) },
			"Finish":  func() error { return second(store.Finish(ctx, p.ID, 1, job.Result{})) },
			"Claim": func() error {
				_, _, _, err := store.Claim(ctx, p.ID, 1, "worker", far)
				return err
			},
			"FindUser": func() error { return second(store.FindUser(ctx, p.OwnerID)) },
		}
		for name, call := range calls {
			if err := call(); !errors.Is(err, jobstore.ErrUnavailable) {
				t.Errorf("%s while the server is %s: %v", name, how, err)
			}
		}
	}
	back := func(how string) {
		t.Helper()
		if got := find(t, store, p.ID); got.Row != p.Row {
			t.Errorf("row after the server was %s: got %+v, want %+v", how, got.Row, p.Row)
		}
	}

	server.Stop()
	away("stopped")
	server.Start(t)
	back("stopped")
	server.Kill()
	away("killed")
	server.Start(t)
	back("killed")
	server.Freeze()
	away("frozen")
	server.Thaw()
	// A frozen server may still do what it was asked before it froze; only its
	// answer was lost. What was asked here: nothing may be half done.
	if got := find(t, store, p.ID); got.Row.State != job.StateQueued && got.Row.State != job.StateProcessing && got.Row.State != job.StateSucceeded {
		t.Errorf("row after the server was frozen: %+v", got.Row)
	}
}

func TestOpenTellsOfAServerThatIsAway(t *testing.T) {
	t.Parallel()
	server := testenv.NewMariaDB(t)
	config := server.EmptyDatabase(t)
	server.Kill()
	if _, err := jobstore.Open(t.Context(), config); !errors.Is(err, jobstore.ErrUnavailable) {
		t.Errorf("opened: %v", err)
	}
}

func TestOpenChecksItsSettings(t *testing.T) {
	t.Parallel()
	if _, err := jobstore.Open(t.Context(), jobstore.Config{Address: "nonsense"}); err == nil || errors.Is(err, jobstore.ErrUnavailable) {
		t.Errorf("opened with nonsense: %v", err)
	}
}
