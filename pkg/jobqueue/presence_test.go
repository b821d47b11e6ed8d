package jobqueue_test

import (
	"encoding/json"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

func (b broker) workers(t *testing.T) []jobqueue.Worker {
	t.Helper()
	workers, err := b.Workers(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(workers, func(a, b jobqueue.Worker) int { return a.StartedAt.Compare(b.StartedAt) })
	return workers
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	b := start(t)
	if got := b.workers(t); len(got) != 0 {
		t.Fatalf("got %+v, want nobody", got)
	}
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := jobqueue.Worker{
		ID: "worker-1", Instance: "i-0123", Host: "h", Version: "v", Roles: "ingest,inference-worker",
		Model: job.Model{Name: "n", Version: "1"}, Slots: 2, Busy: 1, StartedAt: started, CPU: 0.5,
	}
	second := jobqueue.Worker{ID: "worker-2", Slots: 4, Draining: true, StartedAt: started.Add(time.Second)}
	for _, w := range []jobqueue.Worker{first, second, second} {
		if err := b.PutWorker(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	got := b.workers(t)
	if diff := cmp.Diff([]jobqueue.Worker{first, second}, got, cmpopts.IgnoreFields(jobqueue.Worker{}, "SeenAt")); diff != "" {
		t.Error(diff)
	}
	if age := time.Since(got[0].SeenAt); age < 0 || age > soon {
		t.Errorf("seen %s ago", age)
	}

	if err := b.RemoveWorker(t.Context(), first.ID); err != nil {
		t.Fatal(err)
	}
	kv, err := b.jetStream(t).KeyValue(t.Context(), jobqueue.BucketWorkers)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kv.Put(t.Context(), "stray", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	if got := b.workers(t); len(got) != 1 || got[0].ID != second.ID {
		t.Errorf("got %+v, want only %s", got, second.ID)
	}
}

func TestWorkerThatFallsSilentVanishes(t *testing.T) {
	t.Parallel()
	b := start(t, presenceTTL(shortTTL))
	speak := func(id string) time.Time {
		t.Helper()
		at := time.Now()
		if err := b.PutWorker(t.Context(), jobqueue.Worker{ID: id}); err != nil {
			t.Fatal(err)
		}
		return at
	}
	speak("speaks")
	speak("silent")
	eventually(t, "the silent worker is gone", func() bool {
		spoke := speak("speaks")
		there, known := vanishing(t, b)
		if !known {
			return false
		}
		if !there["speaks"] && time.Since(spoke) < shortTTL {
			t.Fatal("a worker that speaks has vanished")
		}
		return !there["silent"]
	})
	eventually(t, "the other is gone, too", func() bool {
		there, known := vanishing(t, b)
		return known && len(there) == 0
	})
}

// vanishing lists workers while some of them run out. The list waits in vain for one that
// runs out between being counted and being given, and says then that it does not know.
func vanishing(t *testing.T, b broker) (there map[string]bool, known bool) {
	t.Helper()
	workers, err := b.Workers(t.Context())
	if errors.Is(err, jobqueue.ErrUnavailable) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	there = map[string]bool{}
	for _, w := range workers {
		there[w.ID] = true
	}
	return there, true
}

func TestAnnounce(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneBatch)
	b.Announce(t.Context(), m.PhotoID, jobqueue.StageClaimed, map[string]int{"attempt": 2})
	b.Announce(t.Context(), m.PhotoID, jobqueue.StageFinished, nil)
	b.Close() // tells what was announced before it
	events, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamEvents)
	if err != nil {
		t.Fatal(err)
	}
	for stage, fields := range map[jobqueue.Stage]string{jobqueue.StageClaimed: `{"attempt":2}`, jobqueue.StageFinished: ""} {
		var event jobqueue.Event
		eventually(t, "event kept", func() bool {
			stored, err := events.GetLastMsgForSubject(t.Context(), jobqueue.EventSubject(m.PhotoID, stage))
			return err == nil && json.Unmarshal(stored.Data, &event) == nil
		})
		if event.PhotoID != m.PhotoID || event.Stage != stage || string(event.Fields) != fields || event.At.IsZero() {
			t.Errorf("got %+v", event)
		}
	}
}

func TestAnnounceNeverWaits(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.server.Stop()
	id := newMessage(t, job.LaneBatch).PhotoID
	began := time.Now()
	for range 20_000 {
		b.Announce(t.Context(), id, jobqueue.StageClaimed, nil)
	}
	b.Announce(t.Context(), id, jobqueue.StageClaimed, func() {}) // no JSON: dropped too
	if took := time.Since(began); took > soon/2 {
		t.Errorf("announcing to a broker that is away took %s", took)
	}
	began = time.Now()
	b.Close()
	if took := time.Since(began); took > soon/2 {
		t.Errorf("closing without a broker took %s", took)
	}
}
