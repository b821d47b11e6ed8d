package jobqueue_test

import (
	"context"
	"sync"
	"testing"

	"maskfleet/pkg/jobqueue"
)

// followed is what a follower was told last.
type followed struct {
	mu      sync.Mutex // guards workers
	workers map[string]jobqueue.Worker
}

func (f *followed) hear(workers []jobqueue.Worker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.workers = map[string]jobqueue.Worker{}
	for _, w := range workers {
		f.workers[w.ID] = w
	}
}

func (f *followed) is(holds func(map[string]jobqueue.Worker) bool) func() bool {
	return func() bool {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.workers != nil && holds(f.workers)
	}
}

func (b broker) follow(t *testing.T) *followed {
	t.Helper()
	f := &followed{}
	ctx, stop := context.WithCancel(t.Context())
	var following sync.WaitGroup
	following.Go(func() { b.FollowWorkers(ctx, f.hear) })
	t.Cleanup(func() { stop(); following.Wait() })
	return f
}

func (b broker) put(t *testing.T, w jobqueue.Worker) {
	t.Helper()
	if err := b.PutWorker(t.Context(), w); err != nil {
		t.Fatal(err)
	}
}

func TestFollowersHearOfEveryChange(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.put(t, jobqueue.Worker{ID: "before"})
	f := b.follow(t)
	eventually(t, "who was there", f.is(func(w map[string]jobqueue.Worker) bool { return len(w) == 1 }))
	b.put(t, jobqueue.Worker{ID: "after", Draining: true, Drain: jobqueue.DrainCommand})
	eventually(t, "who came", f.is(func(w map[string]jobqueue.Worker) bool { return w["after"].Drain.OfInstance() }))
	b.put(t, jobqueue.Worker{ID: "after"})
	eventually(t, "who changed", f.is(func(w map[string]jobqueue.Worker) bool { return len(w) == 2 && !w["after"].Draining }))
	if err := b.RemoveWorker(t.Context(), "before"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "who left", f.is(func(w map[string]jobqueue.Worker) bool { return len(w) == 1 }))
}

// TestFollowersMissTheSilentAndTheLost: neither a worker that fell silent nor a broker
// that lost its store says anything.
func TestFollowersMissTheSilentAndTheLost(t *testing.T) {
	t.Parallel()
	b := start(t, presenceTTL(shortTTL))
	f := b.follow(t)
	b.put(t, jobqueue.Worker{ID: "w"})
	eventually(t, "the worker", f.is(func(w map[string]jobqueue.Worker) bool { return len(w) == 1 }))
	eventually(t, "its silence", f.is(func(w map[string]jobqueue.Worker) bool { return len(w) == 0 }))

	b.server.Stop()
	b.server.DeleteStore()
	b.server.Start()
	b.untilBack(t)
	eventually(t, "streams again", func() bool { return b.Restore(t.Context()) == nil })
	eventually(t, "the worker on the new bucket", func() bool {
		b.put(t, jobqueue.Worker{ID: "new"})
		return f.is(func(w map[string]jobqueue.Worker) bool { return w["new"].ID == "new" })()
	})
}
