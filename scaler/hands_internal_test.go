package scaler

import (
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/testenv"
)

// TestAMuteWorkerHoldsUpNobody: one that hears and does not answer, as that of a machine
// that stands still.
func TestAMuteWorkerHoldsUpNobody(t *testing.T) {
	t.Parallel()
	_, broker := testenv.NATS(t)
	queue, err := jobqueue.Open(t.Context(), broker.As("scaler"), testenv.Logger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(queue.Close)
	cfg := broker.As(testenv.NATSTester)
	mute, err := nats.Connect(cfg.URL, nats.UserInfo(cfg.User, cfg.Password))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(mute.Close)
	heard := make(chan *nats.Msg, 1)
	if _, err := mute.ChanSubscribe("maskfleet.worker.w1.drain", heard); err != nil {
		t.Fatal(err)
	}
	if err := mute.Flush(); err != nil {
		t.Fatal(err)
	}
	h := &hands{cfg: Config{ReadTimeout: 50 * time.Millisecond}, broker: queue}
	if err := h.tell(t.Context(), "w1", "drain"); err == nil {
		t.Error("a worker that said nothing is taken to have answered")
	}
	if len(heard) != 1 {
		t.Error("it was not asked")
	}
}
