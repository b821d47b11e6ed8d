package jobqueue_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv"
)

func TestEnsureByTenAtOnce(t *testing.T) {
	t.Parallel()
	cfg, _ := testenv.NATS(t)
	var group sync.WaitGroup
	errs := make(chan error, 10)
	for range cap(errs) {
		q := open(t, cfg)
		group.Go(func() { errs <- errors.Join(q.Ensure(t.Context()), q.Ensure(t.Context())) })
	}
	group.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			t.Error(err)
		}
	}
}

func TestEnsureSettings(t *testing.T) {
	t.Parallel()
	b := start(t)
	js := b.jetStream(t)
	var reserved int64
	streams := 0
	lister := js.ListStreams(t.Context())
	for info := range lister.Info() {
		streams++
		reserved += info.Config.MaxBytes
		if info.Config.MaxBytes <= 0 {
			t.Errorf("stream %s has no MaxBytes", info.Config.Name)
		}
	}
	if err := lister.Err(); err != nil {
		t.Fatal(err)
	}
	if streams != 8 || reserved > 3<<30 {
		t.Errorf("got %d streams reserving %d MiB, want 8 within 3 GiB", streams, reserved>>20)
	}
	for _, bucket := range []string{jobqueue.BucketConfig, jobqueue.BucketWorkers, jobqueue.BucketLeases} {
		if _, err := js.KeyValue(t.Context(), bucket); err != nil {
			t.Errorf("the client library does not take %s for a bucket: %v", bucket, err)
		}
	}
	for _, lane := range job.Lanes() {
		consumer, err := js.Consumer(t.Context(), jobqueue.StreamJobs, jobqueue.ConsumerOf(lane))
		if err != nil {
			t.Fatal(err)
		}
		got := consumer.CachedInfo().Config
		if got.MaxDeliver != -1 || got.MaxAckPending < 10_000 || got.AckWait != b.cfg.AckWait || len(got.BackOff) != 0 {
			t.Errorf("consumer %s: %+v", lane, got)
		}
	}
}

func TestEnsureChangesSettingsAndKeepsMessages(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneBatch)
	b.publish(t, m)
	cfg := b.cfg
	cfg.MaxMessages, cfg.AckWait, cfg.PresenceTTL = 7, time.Minute, time.Minute
	if err := open(t, cfg).Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	stream, err := b.jetStream(t).Stream(t.Context(), jobqueue.StreamJobs)
	if err != nil {
		t.Fatal(err)
	}
	if got := stream.CachedInfo(); got.Config.MaxMsgs != 7 || got.State.Msgs != 1 {
		t.Errorf("got limit %d and %d messages, want 7 and 1", got.Config.MaxMsgs, got.State.Msgs)
	}
}

// Every program may ensure at its start; on a broker in order that writes nothing.
func TestEnsureChangesNothingThatIsInOrder(t *testing.T) {
	t.Parallel()
	b := start(t)
	changes, err := b.jetStream(t).Conn().SubscribeSync("$JS.EVENT.ADVISORY.*.UPDATED.>")
	if err != nil {
		t.Fatal(err)
	}
	cfg := b.cfg
	cfg.MaxMessages++
	if err := errors.Join(b.Ensure(t.Context()), open(t, cfg).Ensure(t.Context())); err != nil {
		t.Fatal(err)
	}
	// The second one's change shows that changes would be seen.
	change, err := changes.NextMsg(soon)
	if err != nil {
		t.Fatal(err)
	}
	if want := "$JS.EVENT.ADVISORY.STREAM.UPDATED.JOBS"; change.Subject != want {
		t.Errorf("got %s first, want %s", change.Subject, want)
	}
	if more, err := changes.NextMsg(100 * time.Millisecond); err == nil {
		t.Errorf("got %s too", more.Subject)
	}
}

func TestEnsureKeepsAPausedLanePaused(t *testing.T) {
	t.Parallel()
	b := start(t)
	js := b.jetStream(t)
	until := time.Now().Add(time.Hour)
	if _, err := js.PauseConsumer(t.Context(), jobqueue.StreamJobs, jobqueue.ConsumerOf(job.LaneBatch), until); err != nil {
		t.Fatal(err)
	}
	cfg := b.cfg
	cfg.AckWait = time.Minute // something to change in the consumer
	if err := open(t, cfg).Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.publish(t, newMessage(t, job.LaneBatch))
	b.wantNothing(t, job.LaneBatch)
	d, err := b.FetchWait(t.Context(), job.LaneBatch, 100*time.Millisecond)
	if d != nil || err != nil {
		t.Fatalf("got %v, %v from a paused lane", d, err)
	}
	if _, err := js.ResumeConsumer(t.Context(), jobqueue.StreamJobs, jobqueue.ConsumerOf(job.LaneBatch)); err != nil {
		t.Fatal(err)
	}
	ack(t, b.take(t, job.LaneBatch))
}
