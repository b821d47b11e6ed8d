package jobqueue_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv"
)

// soon is how long a test waits for what must happen; machines may be busy.
const soon = 2 * time.Minute

// broker is a nats-server of the test's own with every stream, and a Queue on it.
type broker struct {
	*jobqueue.Queue
	server *testenv.Server
	cfg    jobqueue.Config
}

func start(t testing.TB, settings ...func(*jobqueue.Config)) broker {
	t.Helper()
	cfg, server := testenv.NATS(t)
	for _, set := range settings {
		set(&cfg)
	}
	b := broker{Queue: open(t, cfg), server: server, cfg: cfg}
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b
}

func open(t testing.TB, cfg jobqueue.Config) *jobqueue.Queue {
	t.Helper()
	q, err := jobqueue.Open(t.Context(), cfg, testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(q.Close)
	return q
}

func ackWait(d time.Duration) func(*jobqueue.Config) {
	return func(c *jobqueue.Config) { c.AckWait = d }
}

// jetStream is a connection of an operator, past the package.
func (b broker) jetStream(t testing.TB) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(b.cfg.URL, nats.UserInfo(b.cfg.User, b.cfg.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func newMessage(t testing.TB, lane job.Lane) job.Message {
	t.Helper()
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return job.NewMessage(job.Photo{ID: id, Lane: lane, TraceParent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}, 1)
}

func (b broker) publish(t testing.TB, m job.Message) {
	t.Helper()
	if err := b.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
}

// take fetches the message that must come.
func (b broker) take(t testing.TB, lane job.Lane) *jobqueue.Delivery {
	t.Helper()
	d, err := b.FetchWait(t.Context(), lane, soon)
	if err != nil {
		t.Fatal(err)
	}
	if d == nil {
		t.Fatal("no message came")
	}
	return d
}

func ack(t testing.TB, d *jobqueue.Delivery) {
	t.Helper()
	if err := d.Ack(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func (b broker) wantNothing(t testing.TB, lane job.Lane) {
	t.Helper()
	d, err := b.FetchNow(t.Context(), lane)
	if err != nil {
		t.Fatal(err)
	}
	if d != nil {
		t.Fatalf("got %s, want an empty lane", d.Raw)
	}
}

func wantError(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}

func eventually(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(soon); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not within %s: %s", soon, what)
}

// untilBack waits until the Queue has found its broker again.
func (b broker) untilBack(t testing.TB) {
	t.Helper()
	eventually(t, "connection back", func() bool {
		err := b.Ping(t.Context())
		return err == nil || errors.Is(err, jobqueue.ErrNoStream)
	})
}

func TestOpenRefusesWrongSettings(t *testing.T) {
	t.Parallel()
	_, err := jobqueue.Open(t.Context(), jobqueue.Config{}, testenv.Logger(t))
	if err == nil {
		t.Fatal("want an error")
	}
}

func TestOpenBeforeTheBroker(t *testing.T) {
	t.Parallel()
	cfg, server := testenv.NATS(t)
	server.Stop()
	b := broker{Queue: open(t, cfg), server: server, cfg: cfg}
	wantError(t, b.Ping(t.Context()), jobqueue.ErrUnavailable)
	wantError(t, b.Ensure(t.Context()), jobqueue.ErrUnavailable)
	server.Start()
	b.untilBack(t)
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.publish(t, newMessage(t, job.LaneBatch))
}

// everyQuestion asks what a broker without streams, or no broker, cannot answer.
func everyQuestion(ctx context.Context, q *jobqueue.Queue, m job.Message) map[string]error {
	_, nowErr := q.FetchNow(ctx, m.Lane)
	_, waitErr := q.FetchWait(ctx, m.Lane, time.Minute)
	_, _, liveErr := q.Live(ctx, m.Lane, m.PhotoID)
	_, depthErr := q.Depth(ctx)
	_, workersErr := q.Workers(ctx)
	_, _, leaseErr := q.AcquireLease(ctx, "scaler", "me")
	return map[string]error{
		"Publish":      q.Publish(ctx, m),
		"FetchNow":     nowErr,
		"FetchWait":    waitErr,
		"Live":         liveErr,
		"Depth":        depthErr,
		"Workers":      workersErr,
		"AcquireLease": leaseErr,
		"ReleaseLease": q.ReleaseLease(ctx, "scaler", "me"),
		"PutWorker":    q.PutWorker(ctx, jobqueue.Worker{ID: "w"}),
		"RemoveWorker": q.RemoveWorker(ctx, "w"),
		"DeadLetter":   q.DeadLetter(ctx, job.DeadLetter{PhotoID: m.PhotoID, Publication: 1, Reason: job.CodeInternal}),
		"Ping":         q.Ping(ctx),
	}
}

func wantEach(t *testing.T, got map[string]error, want error) {
	t.Helper()
	for question, err := range got {
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", question, err, want)
		}
	}
}

func TestBrokerAwayAndBackWithoutItsStore(t *testing.T) {
	t.Parallel()
	b := start(t)
	m := newMessage(t, job.LaneInteractive)
	b.publish(t, m)

	b.server.Stop()
	eventually(t, "loss noticed", func() bool { return b.Ping(t.Context()) != nil })
	asked := time.Now()
	wantEach(t, everyQuestion(t.Context(), b.Queue, m), jobqueue.ErrUnavailable)
	if took := time.Since(asked); took > 5*time.Second {
		t.Errorf("a broker that is away was waited for: %s", took)
	}

	b.server.DeleteStore()
	b.untilBack(t)
	wantEach(t, everyQuestion(t.Context(), b.Queue, m), jobqueue.ErrNoStream)

	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, live, err := b.Live(t.Context(), m.Lane, m.PhotoID); live || err != nil {
		t.Fatalf("got live %t, %v, want the message gone", live, err)
	}
	b.publish(t, m)
	ack(t, b.take(t, m.Lane))
	wantEach(t, map[string]error{"Ping": b.Ping(t.Context())}, nil)
}

func TestRestartKeepsMessages(t *testing.T) {
	t.Parallel()
	b := start(t)
	var inHand *jobqueue.Delivery
	for n := range 20 {
		b.publish(t, newMessage(t, job.LaneBatch))
		if n == 0 {
			inHand = b.take(t, job.LaneBatch)
		}
	}
	b.server.Restart()
	b.untilBack(t)
	ack(t, inHand) // a delivery outlives the connection it came by
	for range 19 {
		ack(t, b.take(t, job.LaneBatch))
	}
	b.wantNothing(t, job.LaneBatch)
}

func TestFetchWaitNoticesThatTheBrokerLeft(t *testing.T) {
	t.Parallel()
	b := start(t)
	failed := make(chan error, 1)
	go func() {
		_, err := b.FetchWait(t.Context(), job.LaneBatch, time.Hour)
		failed <- err
	}()
	b.untilPullWaits(t, job.LaneBatch)
	b.server.Stop()
	select {
	case err := <-failed:
		wantError(t, err, jobqueue.ErrUnavailable)
	case <-time.After(soon):
		t.Fatal("still waiting for a broker that is gone")
	}
}

func TestFetchWaitNoticesThatTheStreamWent(t *testing.T) {
	t.Parallel()
	b := start(t)
	failed := make(chan error, 1)
	go func() {
		_, err := b.FetchWait(t.Context(), job.LaneBatch, time.Hour)
		failed <- err
	}()
	b.untilPullWaits(t, job.LaneBatch)
	if err := b.jetStream(t).DeleteStream(t.Context(), jobqueue.StreamJobs); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		wantError(t, err, jobqueue.ErrUnavailable)
	case <-time.After(soon):
		t.Fatal("still waiting at a stream that is gone")
	}
}

// pulls is how many questions for the next message wait on the broker.
func (b broker) pulls(t testing.TB, lane job.Lane) int {
	t.Helper()
	consumer, err := b.jetStream(t).Consumer(t.Context(), jobqueue.StreamJobs, jobqueue.ConsumerOf(lane))
	if err != nil {
		t.Fatal(err)
	}
	return consumer.CachedInfo().NumWaiting
}

func (b broker) untilPullWaits(t testing.TB, lane job.Lane) {
	t.Helper()
	eventually(t, fmt.Sprintf("a pull at %s", lane), func() bool { return b.pulls(t, lane) > 0 })
}
