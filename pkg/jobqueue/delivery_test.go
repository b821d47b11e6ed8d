package jobqueue_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// shortWait is an AckWait for tests that let one pass.
const shortWait = 500 * time.Millisecond

// another is a second worker's connection to the same broker.
func (b broker) another(t *testing.T) broker {
	t.Helper()
	b.Queue = open(t, b.cfg)
	return b
}

func TestUnsettledDeliveryGoesToAnother(t *testing.T) {
	t.Parallel()
	b := start(t, ackWait(shortWait))
	m := newMessage(t, job.LaneBatch)
	b.publish(t, m)
	b.take(t, m.Lane)
	b.Close() // the worker is gone without a word
	other := b.another(t)
	other.wantNothing(t, m.Lane)
	d := other.take(t, m.Lane)
	if d.Message != m || d.Delivered != 2 {
		t.Errorf("got %+v, delivery %d, want the same message a second time", d.Message, d.Delivered)
	}
	ack(t, d)
}

func TestExtendKeepsADelivery(t *testing.T) {
	t.Parallel()
	b := start(t, ackWait(shortWait))
	m := newMessage(t, job.LaneBatch)
	b.publish(t, m)
	d := b.take(t, job.LaneBatch)
	other := b.another(t)
	other.whileOthersEnd(t, m, d.Extend)
	if again := other.take(t, job.LaneBatch); again.Message != m || again.Delivered < 2 {
		t.Errorf("got delivery %d of %v, want another of %v", again.Delivered, again.Message, m)
	}
}

// whileOthersEnd calls extend until another delivery of the same lane, which nobody
// extends, has ended two times: for two AckWaits. The message must not come meanwhile.
func (b broker) whileOthersEnd(t *testing.T, m job.Message, extend func() error) {
	t.Helper()
	other := newMessage(t, m.Lane)
	b.publish(t, other)
	var last *jobqueue.Delivery
	extended := time.Now()
	eventually(t, "the delivery that nobody extends has ended twice", func() bool {
		asked := time.Now()
		if err := extend(); err != nil {
			t.Fatal(err)
		}
		gap := time.Since(extended)
		extended = asked
		d, err := b.FetchNow(t.Context(), m.Lane)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case d == nil:
			return false
		case d.Message == m && gap < shortWait: // or this machine was too slow for it
			t.Fatal("the message came although its delivery was extended in time")
		case d.Message == other:
			last = d
		}
		return last != nil && last.Delivered >= 3
	})
	ack(t, last)
}

func TestNak(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.publish(t, newMessage(t, job.LaneBatch))
	if err := b.take(t, job.LaneBatch).Nak(0); err != nil {
		t.Fatal(err)
	}
	d := b.take(t, job.LaneBatch)
	const delay = 300 * time.Millisecond
	putBack := time.Now()
	if err := d.Nak(delay); err != nil {
		t.Fatal(err)
	}
	d = b.take(t, job.LaneBatch)
	if waited := time.Since(putBack); waited < delay || d.Delivered != 3 {
		t.Errorf("got delivery %d after %s, want 3 after %s", d.Delivered, waited, delay)
	}
	ack(t, d)
}

func TestTermLeavesItsReasonWithTheBroker(t *testing.T) {
	t.Parallel()
	b := start(t)
	b.publish(t, newMessage(t, job.LaneBatch))
	d := b.take(t, job.LaneBatch)
	if err := d.Term("decoder_crashed"); err != nil {
		t.Fatal(err)
	}
	b.wantLiveSoon(t, d.Message, false)
	advisories, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamAdvisories)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "advisory kept", func() bool {
		advisory, err := advisories.GetLastMsgForSubject(t.Context(), "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>")
		return err == nil && strings.Contains(string(advisory.Data), "decoder_crashed")
	})
}

func (b broker) wantLiveSoon(t *testing.T, m job.Message, want bool) {
	t.Helper()
	eventually(t, "message settled", func() bool {
		_, live, err := b.Live(t.Context(), m.Lane, m.PhotoID)
		return err == nil && live == want
	})
}

// What follows is no wish of ours: it is how JetStream settles (it looks at the
// stream's sequence, not at the delivery), and why the photo's row carries a fence.
func TestSettlementsAreNotFenced(t *testing.T) {
	t.Parallel()
	twice := func(t *testing.T) (b broker, stale, present *jobqueue.Delivery) {
		t.Helper()
		b = start(t, ackWait(shortWait))
		b.publish(t, newMessage(t, job.LaneBatch))
		stale = b.take(t, job.LaneBatch)
		present = b.another(t).take(t, job.LaneBatch)
		if present.Delivered != 2 {
			t.Fatalf("got delivery %d, want the second", present.Delivered)
		}
		return b, stale, present
	}
	t.Run("a stale ack ends the message under its present holder, and says it did well", func(t *testing.T) {
		t.Parallel()
		b, stale, present := twice(t)
		ack(t, stale)
		b.wantLive(t, present.Message, 0)
		ack(t, present) // and so does the late one
	})
	t.Run("a stale nak leads to a third delivery while the second is at work", func(t *testing.T) {
		t.Parallel()
		b, stale, present := twice(t)
		if err := stale.Nak(0); err != nil {
			t.Fatal(err)
		}
		third := b.take(t, job.LaneBatch)
		if third.Delivered != 3 {
			t.Errorf("got delivery %d, want 3", third.Delivered)
		}
		ack(t, present)
	})
	t.Run("a stale extension keeps the message from others on behalf of its holder", func(t *testing.T) {
		t.Parallel()
		b, stale, present := twice(t)
		b.whileOthersEnd(t, present.Message, stale.Extend)
	})
}

func TestMessagesThatCannotBeReadAreDelivered(t *testing.T) {
	t.Parallel()
	b := start(t)
	js := b.jetStream(t)
	m := newMessage(t, job.LaneBatch)
	body, err := m.Encode()
	if err != nil {
		t.Fatal(err)
	}
	status := nats.Header{"Status": {"404"}}
	for name, c := range map[string]struct {
		subject string
		header  nats.Header
		data    string
		want    error
	}{
		"no JSON":              {subject: "jobs.canary.x", data: "photo", want: job.ErrMalformed},
		"nothing":              {subject: "jobs.canary.x", want: job.ErrMalformed},
		"nothing but a status": {subject: "jobs.canary.x", header: status, want: job.ErrMalformed},
		"a later version":      {subject: "jobs.canary.x", data: `{"v": 2, "photo": {"id": "x"}}`, want: job.ErrSchemaVersion},
		"another's subject":    {subject: "jobs.canary.x", data: string(body), want: job.ErrMalformed},
	} {
		if _, err := js.PublishMsg(t.Context(), &nats.Msg{Subject: c.subject, Header: c.header, Data: []byte(c.data)}); err != nil {
			t.Fatal(err)
		}
		d := b.take(t, job.LaneCanary)
		if !errors.Is(d.Err, c.want) || string(d.Raw) != c.data || d.Subject != c.subject {
			t.Errorf("%s: got %q at %s with %v, want %v", name, d.Raw, d.Subject, d.Err, c.want)
		}
		ack(t, d)
	}
}

func TestDeadLetterIsStoredOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneBatch)
	letter := job.DeadLetter{
		PhotoID: m.PhotoID, Lane: m.Lane, Publication: 3, Reason: job.CodeDecoderCrashed, Attempts: 2, SlotDeaths: 2,
		FailedAt: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), TraceParent: m.TraceParent,
	}
	for range 2 {
		if err := b.DeadLetter(t.Context(), letter); err != nil {
			t.Fatal(err)
		}
	}
	dead, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamDead)
	if err != nil {
		t.Fatal(err)
	}
	if n := dead.CachedInfo().State.Msgs; n != 1 {
		t.Errorf("got %d letters, want 1", n)
	}
	stored, err := dead.GetLastMsgForSubject(t.Context(), "dead.decoder_crashed."+m.PhotoID.String())
	if err != nil {
		t.Fatal(err)
	}
	var got job.DeadLetter
	if err := json.Unmarshal(stored.Data, &got); err != nil || got != letter {
		t.Errorf("got %+v, %v, want %+v", got, err, letter)
	}
	letter.Reason = "two words"
	if err := b.DeadLetter(t.Context(), letter); err == nil {
		t.Error("want an error for a reason that is not one word")
	}
}

func TestDeadLetterUnknownKeepsTheMessageWhole(t *testing.T) {
	t.Parallel()
	b := start(t)
	if _, err := b.jetStream(t).Publish(t.Context(), "jobs.batch.stray", []byte("\xff what?")); err != nil {
		t.Fatal(err)
	}
	d := b.take(t, job.LaneBatch)
	for range 2 {
		if err := b.DeadLetterUnknown(t.Context(), jobqueue.ReasonUnknown, d); err != nil {
			t.Fatal(err)
		}
	}
	ack(t, d)
	dead, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamDead)
	if err != nil {
		t.Fatal(err)
	}
	if n := dead.CachedInfo().State.Msgs; n != 1 {
		t.Errorf("got %d letters, want 1", n)
	}
	stored, err := dead.GetLastMsgForSubject(t.Context(), "dead.unknown.stray")
	if err != nil {
		t.Fatal(err)
	}
	var got jobqueue.Stray
	if err := json.Unmarshal(stored.Data, &got); err != nil {
		t.Fatal(err)
	}
	if string(got.Raw) != "\xff what?" || got.Subject != "jobs.batch.stray" || got.Delivered != 1 || got.StoredAt.IsZero() {
		t.Errorf("got %+v", got)
	}
}
