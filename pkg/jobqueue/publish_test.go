package jobqueue_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

func TestPublishAndTake(t *testing.T) {
	t.Parallel()
	b := start(t)
	for _, lane := range job.Lanes() {
		m := newMessage(t, lane)
		b.publish(t, m)
		d := b.take(t, lane)
		if diff := cmp.Diff(m, d.Message); diff != "" || d.Err != nil {
			t.Errorf("%s: %v, want what was published\n%s", lane, d.Err, diff)
		}
		if d.Delivered != 1 || d.Subject != jobqueue.JobSubject(lane, m.PhotoID) {
			t.Errorf("%s: got delivery %d at %s", lane, d.Delivered, d.Subject)
		}
		ack(t, d)
		b.wantNothing(t, lane)
	}
}

func TestPublishKeepsOneMessageAPhoto(t *testing.T) {
	t.Parallel()
	// Without the window only the expected sequence stands against a second message.
	for name, window := range map[string]time.Duration{"within the duplicate window": 10 * time.Minute, "outside of it": 100 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := start(t, func(c *jobqueue.Config) { c.DuplicateWindow = window })
			m := newMessage(t, job.LaneInteractive)
			b.publish(t, m)
			time.Sleep(2 * min(window, time.Second/10))
			next := m
			next.Publication = 2
			wantError(t, b.Publish(t.Context(), m), jobqueue.ErrLive)
			wantError(t, b.Publish(t.Context(), next), jobqueue.ErrLive)
			b.wantLive(t, m, 1)

			d := b.take(t, m.Lane) // in a worker's hands it is live too
			wantError(t, b.Publish(t.Context(), m), jobqueue.ErrLive)
			wantError(t, b.Publish(t.Context(), next), jobqueue.ErrLive)
			b.wantLive(t, m, 1)
			ack(t, d)
			b.wantLive(t, m, 0)
			b.wantNothing(t, m.Lane)
		})
	}
}

// wantLive asks for the live message; publication 0 stands for none.
func (b broker) wantLive(t *testing.T, m job.Message, publication int) {
	t.Helper()
	got, live, err := b.Live(t.Context(), m.Lane, m.PhotoID)
	if err != nil {
		t.Fatal(err)
	}
	if got != publication || live != (publication > 0) {
		t.Fatalf("got publication %d, live %t, want %d", got, live, publication)
	}
}

func TestPublishWithinTheDuplicateWindow(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneBatch)
	b.publish(t, m)
	ack(t, b.take(t, m.Lane))

	wantError(t, b.Publish(t.Context(), m), jobqueue.ErrDuplicate)
	b.wantNothing(t, m.Lane)

	m.Publication = 2
	b.publish(t, m)
	d := b.take(t, m.Lane)
	if d.Message.Publication != 2 || d.Delivered != 1 {
		t.Errorf("got publication %d, delivery %d, want 2 and 1", d.Message.Publication, d.Delivered)
	}
	ack(t, d)
}

func TestPublishToAFullQueue(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *jobqueue.Config) { c.MaxMessages = 2 })
	first := newMessage(t, job.LaneInteractive)
	b.publish(t, first)
	b.publish(t, newMessage(t, job.LaneBatch))
	refused := newMessage(t, job.LaneInteractive)
	err := b.Publish(t.Context(), refused)
	wantError(t, err, jobqueue.ErrFull)
	t.Log(err)
	b.wantLive(t, refused, 0)
	wantError(t, b.Publish(t.Context(), first), jobqueue.ErrLive) // nothing was dropped for it

	ack(t, b.take(t, job.LaneBatch))
	b.publish(t, refused) // the refusal is not remembered as a publication
}

func TestPublishToAQueueFullOfBytes(t *testing.T) {
	t.Parallel()
	b := start(t, func(c *jobqueue.Config) { c.MaxBytes = 1 << 20 })
	js := b.jetStream(t)
	filler := make([]byte, 60<<10)
	for n := 0; ; n++ {
		if n > 20 {
			t.Fatal("the queue is never full")
		}
		m := newMessage(t, job.LaneCanary)
		if _, err := js.Publish(t.Context(), jobqueue.JobSubject(m.Lane, m.PhotoID), filler); err != nil {
			break
		}
	}
	var err error
	for err == nil {
		err = b.Publish(t.Context(), newMessage(t, job.LaneBatch))
	}
	wantError(t, err, jobqueue.ErrFull)
	t.Log(err)
}

func TestPublishForACallerThatLeft(t *testing.T) {
	t.Parallel()
	b := start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, b.Publish(ctx, newMessage(t, job.LaneBatch)), context.Canceled)
}

func TestLiveOfAMessageThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneBatch)
	msg := nats.NewMsg(jobqueue.JobSubject(m.Lane, m.PhotoID))
	msg.Header.Set("Status", "404") // looks like the broker's own "none"
	if _, err := b.jetStream(t).PublishMsg(t.Context(), msg); err != nil {
		t.Fatal(err)
	}
	publication, live, err := b.Live(t.Context(), m.Lane, m.PhotoID)
	if !live || publication != 0 || err != nil {
		t.Fatalf("got publication %d, live %t, %v, want a live one that says nothing", publication, live, err)
	}
	wantError(t, b.Publish(t.Context(), m), jobqueue.ErrLive)
}

func TestDepth(t *testing.T) {
	t.Parallel()
	b := start(t)
	for range 3 {
		b.publish(t, newMessage(t, job.LaneBatch))
	}
	b.publish(t, newMessage(t, job.LaneInteractive))
	if d := b.take(t, job.LaneBatch); d.Nak(time.Hour) != nil { // waits for its time
		t.Fatal("not put back")
	}
	b.take(t, job.LaneBatch)
	want := map[job.Lane]jobqueue.Depth{
		job.LaneInteractive: {Pending: 1},
		job.LaneBatch:       {Pending: 1, InFlight: 2},
		job.LaneCanary:      {},
	}
	got, err := b.Depth(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
