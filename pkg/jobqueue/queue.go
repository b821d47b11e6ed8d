package jobqueue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/jobqueue/internal/connect"
)

const (
	// requestTimeout bounds every question to the broker, whatever the caller's
	// context allows: silence means ErrUnavailable within seconds.
	requestTimeout = 2500 * time.Millisecond
)

// Queue is a connection to the broker. It is safe for concurrent use.
type Queue struct {
	nc     *nats.Conn
	js     jetstream.JetStream
	cfg    Config
	log    *slog.Logger
	link   *link
	events *announcer
	closed chan struct{} // closed by the library when the connection is gone for good
	close  sync.Once
}

// Open makes the connection and keeps it: a broker that is away, now or later, is
// looked for until Close, and everything asked of it meanwhile is ErrUnavailable at
// once. An error is one of the settings. Ping tells whether the broker is there.
func Open(ctx context.Context, cfg Config, log *slog.Logger) (*Queue, error) {
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	q := &Queue{cfg: cfg, log: log, link: newLink(), closed: make(chan struct{})}
	nc, err := connect.Dial(cfg.login(), log,
		connect.OnLoss(log, q.link.breakUp),
		nats.ClosedHandler(func(*nats.Conn) { close(q.closed) }))
	if err != nil {
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	q.nc = nc
	if q.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(requestTimeout)); err != nil {
		nc.Close()
		return nil, fmt.Errorf("opening the queue: %w", err)
	}
	q.events = startAnnouncer(nc, log)
	return q, nil
}

// Close puts back what still arrives, sends what is still to be sent and ends the
// connection, within seconds. Nothing may be asked of the Queue after it. A second
// call does nothing.
func (q *Queue) Close() { q.close.Do(q.drain) }

func (q *Queue) drain() {
	q.events.stop()
	err := q.nc.Drain()
	if err != nil && !errors.Is(err, nats.ErrConnectionReconnecting) && !errors.Is(err, nats.ErrConnectionClosed) {
		q.log.Warn("connection to the broker not drained", "err", err)
		q.nc.Close()
	}
	select {
	case <-q.closed:
	case <-time.After(2 * connect.DrainTimeout):
		q.nc.Close()
	}
}

// Ping says whether the broker answers and holds JOBS.
func (q *Queue) Ping(ctx context.Context) error {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	if _, err := q.js.Stream(ctx, StreamJobs); err != nil {
		return fmt.Errorf("pinging the broker: %w", classify(err))
	}
	return nil
}

// bounded is the context of one question to the broker.
func (q *Queue) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, requestTimeout)
}
