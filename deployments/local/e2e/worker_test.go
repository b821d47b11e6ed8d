package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"maskfleet/pkg/job"
)

// TestWorkerKilledWithJobsInHand: promise 1 and 2. The jobs of a worker that died
// run again, each charged one attempt; the others are charged nothing.
func TestWorkerKilledWithJobsInHand(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	inHand := e.submit(t, 1, faultyPhoto(t, "slow=1500ms"))
	e.awaitState(t, inHand[0], job.StateProcessing)
	waiting := e.submit(t, 6, faultyPhoto(t, "slow=300ms"))

	e.kill(t, "inference-worker", syscall.SIGKILL)
	before := map[job.ID]job.Row{}
	lost := 0
	for _, id := range append(inHand, waiting...) {
		before[id] = e.photo(t, id).Row
		if before[id].State == job.StateProcessing {
			lost++
		}
	}
	if lost == 0 {
		t.Fatal("the worker had nothing in hand: the test proves nothing")
	}
	e.start(t, "inference-worker")

	for _, p := range e.awaitAll(t, append(inHand, waiting...), job.StateSucceeded) {
		want := before[p.ID].Attempts + 1
		if before[p.ID].State == job.StateSucceeded {
			want = before[p.ID].Attempts
		}
		if p.Row.Attempts != want {
			t.Errorf("photo %s: %d attempts, want %d", p.ID, p.Row.Attempts, want)
		}
	}
	e.settled(t)
}

// TestSlotKilledMidDecode: promise 3. It costs one attempt of one job.
func TestSlotKilledMidDecode(t *testing.T) {
	t.Parallel()
	e := newEnv(t, setting{"inference-worker", "SLOTS", "1"})
	victim := e.submit(t, 1, faultyPhoto(t, "slow=3s"))[0]
	e.awaitState(t, victim, job.StateProcessing)
	others := e.submit(t, 4, drawnPhoto(t))
	slots := e.slots(t)
	if len(slots) != 1 {
		t.Fatalf("the worker has slots %v, want one", slots)
	}
	if err := syscall.Kill(slots[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}

	p := e.awaitState(t, victim, job.StateSucceeded)
	if p.Row.Attempts != 2 || p.Row.SlotDeaths != 1 {
		t.Errorf("got %d attempts and %d slot deaths, want 2 and 1", p.Row.Attempts, p.Row.SlotDeaths)
	}
	for _, p := range e.awaitAll(t, others, job.StateSucceeded) {
		if p.Row.Attempts != 1 || p.Row.SlotDeaths != 0 {
			t.Errorf("bystander %s: %d attempts, %d slot deaths", p.ID, p.Row.Attempts, p.Row.SlotDeaths)
		}
	}
	e.settled(t)
}

// slots lists the child processes of the worker.
func (e *env) slots(t testing.TB) []int {
	t.Helper()
	worker := e.Part("inference-worker").PID()
	files, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", worker))
	if err != nil {
		t.Fatal(err)
	}
	var pids []int
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			continue
		}
		for word := range strings.FieldsSeq(string(data)) {
			pid, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// TestWorkerAsleepPastItsLease: promise 2. While a worker is stopped another takes
// its photo; when it wakes, its finish and its ack change nothing.
func TestWorkerAsleepPastItsLease(t *testing.T) {
	t.Parallel()
	e := newEnvOfTwo(t)
	e.stop(t, "inference-worker-2")
	id := e.submit(t, 1, faultyPhoto(t, "slow=2s"))[0]
	first := e.awaitState(t, id, job.StateProcessing)
	e.signal(t, "inference-worker", syscall.SIGSTOP)

	e.start(t, "inference-worker-2")
	won := e.awaitState(t, id, job.StateSucceeded)
	if won.WorkerID == first.WorkerID {
		t.Fatalf("finished by %s, the worker that sleeps", won.WorkerID)
	}
	e.signal(t, "inference-worker", syscall.SIGCONT)

	eventually(t, "the worker that slept to find its fence lost", func() error {
		if n := e.metric(t, "inference-worker", `maskfleet_worker_jobs_total{outcome="stale"}`); n < 1 {
			return fmt.Errorf("it counts %v stale jobs", n)
		}
		return nil
	})
	e.stop(t, "inference-worker-2")
	e.awaitAll(t, e.submit(t, 4, drawnPhoto(t)), job.StateSucceeded)
	after := e.photo(t, id)
	if after.Row != won.Row || after.WorkerID != won.WorkerID || after.Result.AnnotatedKey != won.Result.AnnotatedKey {
		t.Errorf("the stale worker changed the photo\nfrom %+v\nto   %+v", won, after)
	}
	if after.Row.Attempts != 2 {
		t.Errorf("got %d attempts, want 2: the sleeper's and the winner's", after.Row.Attempts)
	}
	e.settled(t)
}

// TestDrainReleasesWithoutCharge: promise 4. A job that outlives the drain goes back
// to the queue as if it had never been claimed.
func TestDrainReleasesWithoutCharge(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	long := e.submit(t, 1, faultyPhoto(t, "slow=4s"))[0]
	e.awaitState(t, long, job.StateProcessing)

	e.stop(t, "inference-worker") // SIGTERM; drains for one second
	p := e.photo(t, long)
	if p.Row.State != job.StateQueued || p.Row.Attempts != 0 {
		t.Errorf("after the drain: %s with %d attempts, want queued with none", p.Row.State, p.Row.Attempts)
	}
	e.start(t, "inference-worker")
	if p := e.awaitState(t, long, job.StateSucceeded); p.Row.Attempts != 1 {
		t.Errorf("got %d attempts, want 1", p.Row.Attempts)
	}
	e.settled(t)
}

// TestBadPhotosEndWithACode: promise 3, and each such photo harms only itself.
func TestBadPhotosEndWithACode(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	whole := drawnPhoto(t)
	cases := []struct {
		name       string
		photo      []byte
		code       job.Code
		attempts   int
		slotDeaths int
	}{
		{"pixels cut short", whole[:len(whole)*2/3], job.CodeDecodeFailed, 1, 0},
		{"kills its slot", faultyPhoto(t, "crash"), job.CodeDecoderCrashed, 2, 2},
		{"hangs its slot", faultyPhoto(t, "hang"), job.CodeInferenceTimeout, 2, 2},
		{"eats memory", faultyPhoto(t, "memory"), job.CodeDecoderCrashed, 2, 2},
	}
	// All at once, so that they meet each other, too.
	bystanders := e.submit(t, 3, whole)
	var bad []job.ID
	for _, c := range cases {
		bad = append(bad, e.submit(t, 1, c.photo)...)
		bystanders = append(bystanders, e.submit(t, 2, whole)...)
	}
	once := e.submit(t, 1, faultyPhoto(t, "crash-once"))[0]
	for i, c := range cases {
		p := e.awaitState(t, bad[i], job.StateFailed)
		if p.Failure == nil || p.Failure.Code != c.code {
			t.Errorf("%s: ended %v, want %s", c.name, p.Failure, c.code)
		}
		if p.Row.Attempts != c.attempts || p.Row.SlotDeaths != c.slotDeaths {
			t.Errorf("%s: %d attempts and %d slot deaths, want %d and %d",
				c.name, p.Row.Attempts, p.Row.SlotDeaths, c.attempts, c.slotDeaths)
		}
	}
	if p := e.awaitState(t, once, job.StateSucceeded); p.Row.Attempts != 2 {
		t.Errorf("a photo that killed one slot: %d attempts, want 2", p.Row.Attempts)
	}
	for _, p := range e.awaitAll(t, bystanders, job.StateSucceeded) {
		if p.Row.Attempts != 1 {
			t.Errorf("bystander %s was charged %d attempts", p.ID, p.Row.Attempts)
		}
	}
	e.settled(t)
}
