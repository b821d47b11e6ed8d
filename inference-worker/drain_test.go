package inferenceworker

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"maskfleet/pkg/config"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// TestSpotNoticeDrains: it is told to everybody, with the worker's own rights, and a
// person may still take the drain back.
func TestSpotNoticeDrains(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	heard := b.listen(t, "events.fleet.>")
	nc := b.answering(t)
	does(t, nc, "status", "")

	at := time.Now().Add(2 * time.Minute).UTC().Truncate(time.Second)
	b.heedNotice(t.Context(), instance.Notice{Action: "terminate", Time: at})
	want := jobqueue.SpotNotice{Action: "terminate", At: at}
	if told := b.awaitDrain(t, jobqueue.DrainSpot, 0); told.SpotNotice == nil || *told.SpotNotice != want {
		t.Errorf("WORKERS tells %+v", told.SpotNotice)
	}
	msg, err := heard.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	var event spotNoticeTold
	if err := json.Unmarshal(msg.Data, &event); err != nil || event != (spotNoticeTold{"w-test", "i-test", want}) || msg.Subject != "events.fleet.spot-notice.i-test" {
		t.Errorf("%s: %s, %v", msg.Subject, msg.Data, err)
	}
	if s, _ := does(t, nc, "drain", ""); s.State != stateDrained || s.Drain != jobqueue.DrainSpot || s.SpotNotice == nil {
		t.Errorf("the first reason does not stand: %+v", s)
	}
	if s, _ := does(t, nc, "resume", ""); s.State != stateIdle || s.Drain != "" || s.SpotNotice == nil {
		t.Errorf("resumed: %+v", s)
	}
}

func TestReadingsCountWhatWasDone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.openSlots(t)
	first := b.reading(0.25)
	if first.Worker != "w-test" || first.Instance != "i-test" || first.CPU != 0.25 || first.Slots != 4 || first.Jobs != 0 || first.BusySeconds != 0 {
		t.Errorf("at first %+v", first)
	}
	d, refused := b.deliver(t, newMessage(t, 1)), b.deliver(t, newMessage(t, 1))
	for _, d := range []*jobqueue.Delivery{d, refused} {
		if !b.takeInHand(t.Context(), d) {
			t.Fatal("not taken")
		}
	}
	b.claimed(&task{delivery: d}, job.Photo{ID: d.Message.PhotoID, Row: job.Row{Attempts: 1}})
	working := b.reading(0)
	if working.Busy != 2 || working.Jobs != 0 || working.BusySeconds <= 0 {
		t.Errorf("at work %+v", working)
	}
	b.letGo(d.Message.PhotoID)
	b.letGo(refused.Message.PhotoID)
	done := b.reading(0)
	if done.Busy != 0 || done.Jobs != 1 || done.BusySeconds < working.BusySeconds {
		t.Errorf("done %+v", done)
	}
	b.mu.Lock()
	b.stopping = true
	b.mu.Unlock()
	if !b.reading(0).Draining {
		t.Error("a worker that stops does not say so")
	}
}

// TestHeartbeatsTellReadings, with the worker's own rights.
func TestHeartbeatsTellReadings(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	nc := b.answering(t)
	does(t, nc, "status", "")
	b.announceNow()
	for deadline := time.Now().Add(patience); ; time.Sleep(10 * time.Millisecond) {
		got, err := b.tester.WorkerReadings(t.Context(), "w-test", time.Hour)
		if err == nil && len(got) >= 2 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %+v, %v, want two readings", got, err)
		}
	}
}

// TestCPUIsTheInstances: on a computer that is busy with other things, a machine that is
// a share of it says what it uses of its share.
func TestCPUIsTheInstances(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stat")
	say := func(line string) {
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say("cpu  100 0 0 900 0 0 0 0 0 0\n")
	m := newCPUMeter(path)
	say("cpu  150 0 0 1050 0 0 0 0 0 0\n")
	if got := m.utilisation(); got != 0.25 {
		t.Errorf("the machine used %g of its share, want 0.25", got)
	}
	if cfg, err := config.Load[Config]([]string{"INSTANCE_STAT=" + path}); err != nil || cfg.Instance.Stat != path {
		t.Errorf("the setting gives %q, %v", cfg.Instance.Stat, err)
	}
}

// TestCPUBeginsAnew: a machine that was stopped and started counts from zero, and is not
// at full load for that.
func TestCPUBeginsAnew(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "stat")
	say := func(line string) {
		if err := os.WriteFile(path, []byte(line), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say("cpu  5000 0 0 45000 0 0 0 0 0 0\n") // of the boot before
	m := newCPUMeter(path)
	m.last = 0.25
	say("cpu  100 0 0 100 0 0 0 0 0 0\n")
	if got := m.utilisation(); got != 0.25 {
		t.Errorf("after it began anew the machine uses %g, want 0.25 as before", got)
	}
	say("cpu  250 0 0 150 0 0 0 0 0 0\n")
	if got := m.utilisation(); got != 0.75 {
		t.Errorf("from its new begin the machine used %g, want 0.75", got)
	}
}

// TestCPUOfAMomentIsNoReading: an announcement out of turn must not make a busy machine
// look idle.
func TestCPUOfAMomentIsNoReading(t *testing.T) {
	t.Parallel()
	m := newCPUMeter("/proc/stat")
	m.last = 0.75
	if m.busy, m.total = 0, 0; m.utilisation() == 0.75 {
		t.Error("since the machine's start is no moment")
	}
	m.last = 0.75
	if got := m.utilisation(); got != 0.75 {
		t.Errorf("a moment later the share is %g", got)
	}
}
