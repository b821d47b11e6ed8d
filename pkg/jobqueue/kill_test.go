package jobqueue_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/testenv/reserve"
)

// asBroker makes the test binary a broker on the store that it names.
const (
	asBroker     = "JOBQUEUE_AS_BROKER"
	asBrokerPort = "JOBQUEUE_AS_BROKER_PORT"
)

func TestKilledBrokerKeepsMessages(t *testing.T) {
	t.Parallel()
	if store := os.Getenv(asBroker); store != "" {
		at, err := strconv.Atoi(os.Getenv(asBrokerPort))
		if err != nil {
			t.Fatal(err)
		}
		testenv.NATSAt(t, store, at)
		select {} // until killed
	}
	store, at := t.TempDir(), reserve.Port(t)
	first := startBrokerProcess(t, store, at)
	b := startOn(t, at)
	waited := make(chan error, 1)
	go func() {
		_, err := b.FetchWait(t.Context(), job.LaneCanary, time.Hour)
		waited <- err
	}()
	b.untilPullWaits(t, job.LaneCanary)
	const photos = 50
	left := map[job.ID]bool{}
	for range photos {
		m := newMessage(t, job.LaneBatch)
		b.publish(t, m)
		left[m.PhotoID] = true
	}
	done := b.take(t, job.LaneBatch)
	ack(t, done)
	delete(left, done.Message.PhotoID)

	first.Kill()
	select {
	case err := <-waited:
		wantError(t, err, jobqueue.ErrUnavailable)
	case <-time.After(soon):
		t.Fatal("still waiting for a broker that is gone")
	}
	startBrokerProcess(t, store, at)
	b.untilBack(t)
	for range photos - 1 {
		d := b.take(t, job.LaneBatch)
		if !left[d.Message.PhotoID] {
			t.Errorf("got %s, which is done or unknown", d.Message.PhotoID)
		}
		delete(left, d.Message.PhotoID)
		wantError(t, b.Publish(t.Context(), d.Message), jobqueue.ErrLive)
		ack(t, d)
	}
	if len(left) > 0 {
		t.Errorf("lost %d messages", len(left))
	}
}

// A broker that is stopped but not gone takes connections and bytes, and answers
// nothing.
func TestFrozenBroker(t *testing.T) {
	t.Parallel()
	at := reserve.Port(t)
	process := startBrokerProcess(t, t.TempDir(), at)
	b := startOn(t, at, ackWait(time.Second))
	m := newMessage(t, job.LaneBatch)
	b.publish(t, m)

	process.Freeze()
	wantError(t, b.Publish(t.Context(), newMessage(t, job.LaneBatch)), jobqueue.ErrUnavailable)
	_, err := b.FetchNow(t.Context(), job.LaneBatch)
	wantError(t, err, jobqueue.ErrUnavailable)
	const much = 300 // times 64 KiB, more than any socket holds
	fields := json.RawMessage(`"` + strings.Repeat("x", 64<<10) + `"`)
	for n := range much {
		began := time.Now()
		b.Announce(t.Context(), m.PhotoID, jobqueue.StageClaimed, fields)
		if took := time.Since(began); took > time.Second {
			t.Fatalf("announcement %d to a broker that does not read took %s", n, took)
		}
	}

	process.Signal(syscall.SIGCONT)
	b.untilBack(t)
	// It may have gone to the one who gave up, on a connection that is no more.
	eventually(t, "message there", func() bool {
		d, err := b.FetchNow(t.Context(), job.LaneBatch)
		return err == nil && d != nil && d.Message == m
	})
}

// startOn waits for the broker at a port and makes every stream there.
func startOn(t *testing.T, at int, settings ...func(*jobqueue.Config)) broker {
	t.Helper()
	cfg := testenv.NATSLogin(t, at, testenv.NATSTester)
	for _, set := range settings {
		set(&cfg)
	}
	b := broker{Queue: open(t, cfg), cfg: cfg}
	eventually(t, "streams made", func() bool { return b.Ensure(t.Context()) == nil })
	return b
}

func startBrokerProcess(t *testing.T, store string, at int) *testenv.Process {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilledBrokerKeepsMessages$", "-test.timeout=5m")
	cmd.Env = append(os.Environ(), asBroker+"="+store, asBrokerPort+"="+strconv.Itoa(at))
	p, err := testenv.StartProcess(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Kill)
	return p
}
