package inferenceworker

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

func (b *bench) publish(t *testing.T, lane job.Lane) {
	t.Helper()
	m := newMessage(t, 1)
	m.Lane = lane
	if err := b.queue.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// awaitWaiting waits until the broker would give a photo of the lane to who asks: the
// stream has a message a moment before its consumer knows.
func (b *bench) awaitWaiting(t *testing.T, lane job.Lane, photos int) {
	t.Helper()
	for deadline := time.Now().Add(patience); ; {
		depth, err := b.queue.Depth(t.Context())
		if err == nil && depth[lane].Pending >= photos {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the broker has %+v, %v", depth, err)
		}
	}
}

func (b *bench) puller() *puller {
	return &puller{w: b.Worker, canary: canary{queue: b.queue, worker: b.cfg.ID}, turns: turns()}
}

// takes gives the lane of the photo that the next free slot would get.
func (b *bench) takes(t *testing.T, p *puller) job.Lane {
	t.Helper()
	d, err := p.next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d == nil {
		return ""
	}
	return d.Message.Lane
}

// TestBatchDelaysAPersonByOneSlotAtMost: however long a batch had all slots for
// itself, a person's photo is the next that any slot takes.
func TestBatchDelaysAPersonByOneSlotAtMost(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.puller()
	for range 100 {
		b.publish(t, job.LaneBatch)
	}
	b.awaitWaiting(t, job.LaneBatch, 100)
	for taken := range 13 {
		for range taken {
			if lane := b.takes(t, p); lane != job.LaneBatch {
				t.Fatalf("took from %q, want the batch", lane)
			}
		}
		b.publish(t, job.LaneInteractive)
		b.awaitWaiting(t, job.LaneInteractive, 1)
		if lane := b.takes(t, p); lane != job.LaneInteractive {
			t.Errorf("after %d photos of a batch a slot took from %q, want the person's photo", taken, lane)
		}
		if taken%4 != 3 {
			continue
		}
		// After four in a row it was the batch's turn, which a person must let pass.
		if lane := b.takes(t, p); lane != job.LaneBatch {
			t.Errorf("took from %q, want the batch", lane)
		}
	}
}

// TestLanesShareBusySlots: while every lane waits, each has its weight.
func TestLanesShareBusySlots(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	p := b.puller()
	for _, lane := range job.Lanes() {
		for range 20 {
			b.publish(t, lane)
		}
		b.awaitWaiting(t, lane, 20)
	}
	got := map[job.Lane]int{}
	for range 24 {
		got[b.takes(t, p)]++
	}
	want := map[job.Lane]int{job.LaneInteractive: 16, job.LaneBatch: 4, job.LaneCanary: 4}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("of 24 photos (-want +got):\n%s", diff)
	}
}

// TestTrialIsForOneWorker: while a trial lasts, whoever else is given a photo of the
// canary lane puts it back and leaves the lane alone; afterwards it takes from it again.
func TestTrialIsForOneWorker(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other, chosen := b.puller(), b.puller()
	chosen.canary.worker = "w-chosen"
	trial := jobqueue.Trial{Worker: "w-chosen", Until: time.Now().Add(time.Hour)}
	if err := b.tester.PutTrial(t.Context(), trial); err != nil {
		t.Fatal(err)
	}
	b.publish(t, job.LaneCanary)
	b.awaitWaiting(t, job.LaneCanary, 1)
	if lane := b.takes(t, other); lane != "" {
		t.Errorf("another worker took from %s", lane)
	}
	if other.canary.open(t.Context(), job.LaneCanary) || !other.canary.open(t.Context(), job.LaneBatch) {
		t.Error("another worker goes on asking the canary lane, or no lane at all")
	}
	lane := b.takes(t, chosen)
	for deadline := time.Now().Add(patience); lane == "" && time.Now().Before(deadline); { // it is on its way back
		lane = b.takes(t, chosen)
	}
	if lane != job.LaneCanary {
		t.Errorf("the chosen worker took from %q", lane)
	}

	trial.Until = time.Now()
	if err := b.tester.PutTrial(t.Context(), trial); err != nil {
		t.Fatal(err)
	}
	other.canary.looked = time.Time{}
	b.publish(t, job.LaneCanary)
	b.awaitWaiting(t, job.LaneCanary, 1)
	if lane = b.takes(t, other); lane != job.LaneCanary {
		t.Errorf("after the trial another worker took from %q", lane)
	}
}
