package jobqueue_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/jobqueue"
)

// withoutTimes leaves out what the broker's clock says.
func withoutTimes() cmp.Option { return cmpopts.IgnoreTypes(jobqueue.Heard{}) }

func (b broker) report(t testing.TB, readings ...jobqueue.WorkerReading) {
	t.Helper()
	for _, r := range readings {
		if err := b.ReportWorker(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
}

func TestReadingsOfOneAndAllOutliveTheBroker(t *testing.T) {
	t.Parallel()
	b := start(t)
	started := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	first := jobqueue.WorkerReading{Worker: "w-1", Instance: "i-1", StartedAt: started, CPU: 0.5, Slots: 4, Busy: 3, Jobs: 17, BusySeconds: 12.5}
	second := jobqueue.WorkerReading{Worker: "w-2", Instance: "i-2", StartedAt: started, Slots: 2, Draining: true}
	later := first
	later.Jobs, later.BusySeconds = 20, 14
	b.report(t, first, second, later)
	door := jobqueue.DoorReading{Instance: "i-1", StartedAt: started, Requests: 1000}
	if err := b.ReportDoor(t.Context(), door); err != nil {
		t.Fatal(err)
	}
	b.server.Restart()
	b.untilBack(t)

	for worker, want := range map[string][]jobqueue.WorkerReading{
		"w-1": {first, later}, "w-2": {second}, "": {first, second, later}, "w-3": nil,
	} {
		got, err := b.WorkerReadings(t.Context(), worker, time.Hour)
		if diff := cmp.Diff(want, got, withoutTimes()); err != nil || diff != "" {
			t.Errorf("of %q: %v\n%s", worker, err, diff)
		}
		for _, r := range got {
			if since := time.Since(r.At); r.Age < 0 || r.Age > soon || since < r.Age-time.Second || since > soon {
				t.Errorf("of %q: told at %s, %s ago", worker, r.At, r.Age)
			}
		}
	}
	for _, instance := range []string{"i-1", ""} {
		got, err := b.DoorReadings(t.Context(), instance, time.Hour)
		if diff := cmp.Diff([]jobqueue.DoorReading{door}, got, withoutTimes()); err != nil || diff != "" {
			t.Errorf("of the door at %q: %v\n%s", instance, err, diff)
		}
	}
	door.Requests, door.Erased = 1001, &jobqueue.Deed{At: started, Photos: 356}
	other := jobqueue.DoorReading{Instance: "i-2", StartedAt: started, Dispatched: &jobqueue.Deed{At: started, Photos: 3}}
	for _, told := range []jobqueue.DoorReading{other, door} {
		if err := b.ReportDoor(t.Context(), told); err != nil {
			t.Fatal(err)
		}
	}
	told, err := b.DoorReadings(t.Context(), "", time.Hour)
	if diff := cmp.Diff([]jobqueue.DoorReading{other, door}, told[min(1, len(told)):], withoutTimes()); err != nil || diff != "" {
		t.Errorf("what was done for all: %v\n%s", err, diff)
	}
}

// TestWindowEndsByTheBrokersClock: of two readings the older is left out of a window
// that begins between them.
func TestWindowEndsByTheBrokersClock(t *testing.T) {
	t.Parallel()
	b := start(t)
	old, young := jobqueue.WorkerReading{Worker: "w", Jobs: 1}, jobqueue.WorkerReading{Worker: "w", Jobs: 2}
	b.report(t, old)
	<-time.After(50 * time.Millisecond)
	b.report(t, young)
	all, err := b.WorkerReadings(t.Context(), "w", time.Hour)
	if err != nil || len(all) != 2 || all[0].Age <= all[1].Age || all[1].At.Sub(all[0].At) < 50*time.Millisecond {
		t.Fatalf("got %+v, %v", all, err)
	}
	// Time goes on, so the younger may have left the window, too; the older has.
	got, err := b.WorkerReadings(t.Context(), "w", all[1].Age+25*time.Millisecond)
	if err != nil || len(got) > 1 || len(got) == 1 && got[0].Jobs != young.Jobs {
		t.Errorf("since shortly before the younger: %+v, %v", got, err)
	}
	if got, err := b.WorkerReadings(t.Context(), "w", time.Nanosecond); err != nil || len(got) != 0 {
		t.Errorf("within a moment: %+v, %v", got, err)
	}
}

// TestManyReadingsAreReadToTheirEnd: more than one question's worth, and a stray among
// them.
func TestManyReadingsAreReadToTheirEnd(t *testing.T) {
	t.Parallel()
	b := start(t)
	js := b.jetStream(t)
	const many = 2500
	for n := range many {
		if _, err := js.PublishAsync(fmt.Sprintf("telemetry.worker.w-%d", n%7), fmt.Appendf(nil, `{"worker":"w","jobs":%d}`, n)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.PublishAsync("telemetry.worker.stray", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	select {
	case <-js.PublishAsyncComplete():
	case <-time.After(soon):
		t.Fatal("the broker did not take the readings")
	}
	got, err := b.WorkerReadings(t.Context(), "", time.Hour)
	if err != nil || len(got) != many {
		t.Fatalf("got %d readings, %v, want %d", len(got), err, many)
	}
	for n, r := range got {
		if r.Jobs != int64(n) {
			t.Fatalf("reading %d is %+v", n, r)
		}
	}
}

func TestReadingsOfABrokerThatIsAway(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.server.Stop()
	if err := b.ReportWorker(t.Context(), jobqueue.WorkerReading{Worker: "w"}); err == nil {
		t.Error("a reading was told to nobody")
	}
	if _, err := b.WorkerReadings(t.Context(), "", time.Hour); err == nil {
		t.Error("readings came from nowhere")
	}
	b.server.Start()
	b.untilBack(t)
	if got, err := b.WorkerReadings(t.Context(), "", time.Hour); err != nil || len(got) != 0 {
		t.Errorf("what could not be told came later: %+v, %v", got, err)
	}
}
