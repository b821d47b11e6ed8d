package jobqueue_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

func TestFetchWaitTimesOut(t *testing.T) {
	t.Parallel()
	b := start(t)
	d, err := b.FetchWait(t.Context(), job.LaneBatch, 50*time.Millisecond)
	if d != nil || err != nil {
		t.Fatalf("got %v, %v, want neither", d, err)
	}
}

func TestFetchTakesNoMoreThanOne(t *testing.T) {
	t.Parallel()
	b := start(t)
	for range 3 {
		b.publish(t, newMessage(t, job.LaneBatch))
	}
	b.take(t, job.LaneBatch)
	eventually(t, "a second one taken", func() bool {
		d, err := b.FetchNow(t.Context(), job.LaneBatch)
		return d != nil && err == nil
	})
	depths, err := b.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := depths[job.LaneBatch], (jobqueue.Depth{Pending: 1, InFlight: 2}); got != want {
		t.Errorf("got %+v, want %+v: nothing fetched ahead", got, want)
	}
}

func TestWithdrawnPullLeavesTheBroker(t *testing.T) {
	t.Parallel()
	b := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := b.FetchWait(ctx, job.LaneBatch, time.Hour)
		ended <- err
	}()
	b.untilPullWaits(t, job.LaneBatch)
	cancel()
	wantError(t, <-ended, context.Canceled)
	// Left behind, such pulls would take photos in turn with those that are meant.
	eventually(t, "pull withdrawn", func() bool { return b.pulls(t, job.LaneBatch) == 0 })
}

// A photo on its way to a worker that stops waiting must be there for the next who
// asks. AckWait is far longer than this test waits.
func TestFetchWaitNeverStrandsAMessage(t *testing.T) {
	t.Parallel()
	b := start(t, ackWait(time.Hour))
	other := b.another(t)
	delivered := 0
	for round := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		got := make(chan *jobqueue.Delivery, 1)
		go func() {
			d, err := b.FetchWait(ctx, job.LaneBatch, soon)
			if err != nil && ctx.Err() == nil {
				t.Errorf("round %d: %v", round, err)
			}
			got <- d
		}()
		stop := time.AfterFunc(time.Duration(rand.IntN(1500))*time.Microsecond, cancel)
		other.publish(t, newMessage(t, job.LaneBatch))
		d := <-got
		if d == nil {
			d = other.take(t, job.LaneBatch)
		} else {
			delivered++
		}
		ack(t, d)
		stop.Stop()
		cancel()
	}
	b.wantNothing(t, job.LaneBatch)
	t.Logf("%d of 200 arrived before the wait was given up", delivered)
}
