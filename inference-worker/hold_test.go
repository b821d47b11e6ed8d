package inferenceworker

import (
	"context"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace/noop"

	"maskfleet/pkg/instance"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/testenv"
)

// patience is how long a test waits for what must happen sooner or later.
const patience = 2 * time.Minute

// bench is a worker of a test without slots, on a broker of its own.
type bench struct {
	*Worker
	server   *testenv.Server
	tester   *jobqueue.Queue // may do everything
	listener *nats.Conn
	acks     *nats.Subscription // every word about a delivery, as the broker hears it
}

func newBench(t *testing.T) *bench {
	t.Helper()
	cfg, server := testenv.NATS(t)
	log := testenv.Logger(t)
	queue, err := jobqueue.Open(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	if err := queue.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	listener, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(listener.Close)
	b := &bench{server: server, tester: queue, listener: listener, Worker: &Worker{
		cfg:     Config{ID: "w-test", Queue: cfg, RetryBase: time.Hour, StopLimit: patience, OutageProbe: 10 * time.Millisecond},
		machine: &instance.Instance{ID: "i-test", Zone: "z-test"},
		log:     log, tracer: noop.NewTracerProvider().Tracer("test"), metrics: newMetrics(prometheus.NewRegistry()),
		queue: queue, outage: &outage{log: log, probe: time.Second}, inHand: map[job.ID]held{},
	}}
	b.acks = b.listen(t, "$JS.ACK.>")
	return b
}

func (b *bench) listen(t *testing.T, subject string) *nats.Subscription {
	t.Helper()
	heard, err := b.listener.SubscribeSync(subject)
	if err == nil {
		err = b.listener.Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	return heard
}

// openStore lets the worker work on a database of its own and gives the wire to it.
func (b *bench) openStore(t *testing.T) *testenv.Wire {
	t.Helper()
	cfg := testenv.MariaDB(t)
	wire := testenv.NewWire(t, cfg)
	store, err := jobstore.Open(t.Context(), wire.Config())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b.store = store
	return wire
}

// accept stores the photo of a message.
func (b *bench) accept(t *testing.T, m job.Message) {
	t.Helper()
	photo := job.Photo{ID: m.PhotoID, OwnerID: testenv.Owner(t, b.store), Lane: m.Lane, Source: job.SourceUpload, CreatedAt: time.Now().UTC()}
	if err := b.store.Accept(t.Context(), photo); err != nil {
		t.Fatal(err)
	}
}

// deliver publishes a message and takes it.
func (b *bench) deliver(t *testing.T, m job.Message) *jobqueue.Delivery {
	t.Helper()
	if err := b.tester.Publish(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	d, err := b.tester.FetchWait(t.Context(), m.Lane, patience)
	if err != nil || d == nil {
		t.Fatalf("got %v, %v, want a delivery", d, err)
	}
	return d
}

// word is the next word about a delivery.
func (b *bench) word(t *testing.T) string {
	t.Helper()
	msg, err := b.acks.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	return string(msg.Data)
}

func newMessage(t *testing.T, publication int) job.Message {
	t.Helper()
	id, err := job.NewID()
	if err != nil {
		t.Fatal(err)
	}
	return job.NewMessage(job.Photo{ID: id, Lane: job.LaneInteractive}, publication)
}

func TestSecondDeliveryOfAPhotoInHand(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.deliver(t, newMessage(t, 1))
	if !b.takeInHand(t.Context(), d) {
		t.Fatal("a photo that nobody holds was not taken")
	}
	if b.takeInHand(t.Context(), d) {
		t.Error("a photo was taken twice")
	}
	if got := b.word(t); got != "+WPI" {
		t.Errorf("the same publication again: got %q, want an extension", got)
	}
	newer := *d
	newer.Message.Publication = 2
	if b.takeInHand(t.Context(), &newer) {
		t.Error("a photo was taken twice")
	}
	if got := b.word(t); !strings.HasPrefix(got, `-NAK {"delay"`) {
		t.Errorf("a newer publication: got %q, want a nak with delay", got)
	}
	b.letGo(d.Message.PhotoID)
	if !b.takeInHand(t.Context(), &newer) {
		t.Error("the newer publication was not taken when the photo was free")
	}
}

// dawdler makes a worker slow between the last word about a job and its end.
type dawdler struct{ slog.Handler }

func (h dawdler) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "job ended" {
		time.Sleep(100 * time.Millisecond)
	}
	return h.Handler.Handle(ctx, r)
}

// TestNothingFollowsADelayedNak: an extension would begin the delay anew.
func TestNothingFollowsADelayedNak(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	d := b.deliver(t, newMessage(t, 1))
	d.Err = job.ErrSchemaVersion
	b.log = slog.New(dawdler{b.log.Handler()})
	b.cfg.Queue.AckWait = 3 * time.Millisecond // extended every millisecond
	b.cfg.Slots.ItemTimeout = time.Hour
	b.handle(t.Context(), d, nil)
	for word := ""; !strings.HasPrefix(word, "-NAK"); {
		word = b.word(t)
	}
	if msg, err := b.acks.NextMsg(50 * time.Millisecond); err == nil {
		t.Errorf("got %q after the nak", msg.Data)
	}
}

// TestClaimInDoubtIsGivenBack: MySQL commits the claim, its answer is lost, and the
// worker is stopped before it can ask. The photo has not been tried.
func TestClaimInDoubtIsGivenBack(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	wire := b.openStore(t)
	m := newMessage(t, 1)
	b.accept(t, m)
	b.cfg.Slots.ItemTimeout = time.Minute
	d := b.deliver(t, m)

	lost := make(chan struct{})
	wire.LoseAnswer("COMMIT", func() { wire.Cut(); close(lost) })
	work, stop := context.WithCancelCause(t.Context())
	defer stop(nil)
	var handling sync.WaitGroup
	handling.Go(func() { b.handle(work, d, nil) })
	<-lost
	stop(lifecycle.ErrStopping)
	wire.Mend()
	handling.Wait()

	got, err := b.store.Find(t.Context(), m.PhotoID)
	if err != nil {
		t.Fatal(err)
	}
	if got.Row.State != job.StateQueued || got.Row.Attempts != 0 || got.Row.Fence != 1 {
		t.Errorf("the row is %+v, want it queued, claimed once and without an attempt", got.Row)
	}
	again, err := b.queue.FetchWait(t.Context(), m.Lane, patience)
	if err != nil || again == nil {
		t.Errorf("got %v, %v, want the message again", again, err)
	}
}

// TestDeadLetterThatALostWorkerOwes: it failed the photo and died. Whoever gets the
// message again writes the dead letter, and says so.
func TestDeadLetterThatALostWorkerOwes(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.openStore(t)
	m := newMessage(t, 1)
	b.accept(t, m)
	claimed, _, _, err := b.store.Claim(t.Context(), m.PhotoID, 1, "w-lost", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.store.Fail(t.Context(), m.PhotoID, claimed.Row.Fence, job.Fail(job.CodeDecodeFailed, nil)); err != nil {
		t.Fatal(err)
	}
	told := b.listen(t, jobqueue.EventSubject(m.PhotoID, jobqueue.StageDeadLettered))

	b.handle(t.Context(), b.deliver(t, m), nil)
	if got, err := b.store.Find(t.Context(), m.PhotoID); err != nil || !got.Row.DeadLetter {
		t.Errorf("the row is %+v, %v, want its dead letter noted", got.Row, err)
	}
	if dead, err := b.queue.DeadLetters(t.Context()); err != nil || dead != 1 {
		t.Errorf("DEAD holds %d, %v, want 1", dead, err)
	}
	if got := b.word(t); got != "+ACK" {
		t.Errorf("the message ended with %q, want an ack", got)
	}
	if _, err := told.NextMsg(patience); err != nil {
		t.Errorf("the timeline does not tell of it: %v", err)
	}
}
