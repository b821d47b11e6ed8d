package ingest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/lifecycle"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/testenv"
)

var errGone = errors.New("gone")

// surroundings answer admission's looks as a test wants.
type surroundings struct {
	depth           map[job.Lane]jobqueue.Depth
	outside         int
	batches         int
	nats, mysql, s3 error
	intake          jobqueue.Intake
}

func (s *surroundings) Intake(context.Context) (jobqueue.Intake, error) { return s.intake, s.nats }

func (s *surroundings) Depth(context.Context) (map[job.Lane]jobqueue.Depth, error) {
	return s.depth, s.nats
}

func (s *surroundings) WaitingOutsideBroker(context.Context) (int, error) { return s.outside, s.mysql }

func (s *surroundings) WaitingInBatches(context.Context) (int, error) { return s.batches, s.mysql }

func (s *surroundings) Ping(context.Context) error { return s.s3 }

func newAdmission(t *testing.T, around *surroundings) *admission {
	gauge := prometheus.NewGauge(prometheus.GaugeOpts{Name: "test"})
	return &admission{
		cfg: AdmissionConfig{QueueLimit: 10, BatchQueueLimit: 20}, queue: around, intake: around, backlog: around, images: around,
		log: testenv.Logger(t), depth: gauge, memory: newBudget(100, gauge),
	}
}

// TestLateOnceIsNotAway: the door closes for a store that is late twice in a row, and
// at once for one that is away.
func TestLateOnceIsNotAway(t *testing.T) {
	t.Parallel()
	late := fmt.Errorf("looking: %w", context.DeadlineExceeded)
	around := &surroundings{}
	a := newAdmission(t, around)
	for i, look := range []struct {
		mysql, s3 error
		open      bool
	}{
		{late, nil, true}, {nil, nil, true}, {nil, late, true}, {late, nil, false}, {late, late, false},
		{nil, nil, true}, {late, errGone, false}, {late, nil, false}, {nil, nil, true},
	} {
		around.mysql, around.s3 = look.mysql, look.s3
		a.look(t.Context())
		if err := a.admit(); (err == nil) != look.open {
			t.Errorf("look %d: %v, want open %v", i, err, look.open)
		}
	}
}

func TestAdmission(t *testing.T) {
	t.Parallel()
	full := map[job.Lane]jobqueue.Depth{job.LaneInteractive: {Pending: 3, InFlight: 2}, job.LaneBatch: {Pending: 2}}
	cases := []struct {
		name   string
		around surroundings
		length int64
		want   string
	}{
		{"room", surroundings{depth: full, outside: 2}, 50, ""},
		{"full of what waits anywhere", surroundings{depth: full, outside: 3}, 50, problem.CodeQueueFull},
		{"mysql away", surroundings{mysql: errGone}, 50, problem.CodeUnavailable},
		{"s3 away", surroundings{s3: errGone}, 50, problem.CodeUnavailable},
		{"nats away: the row is the promise", surroundings{nats: errGone}, 50, ""},
		{"paused", surroundings{intake: jobqueue.Intake{PausedUntil: time.Now().Add(time.Hour)}}, 50, problem.CodeIntakePaused},
		{"a pause that is over", surroundings{intake: jobqueue.Intake{PausedUntil: time.Now().Add(-time.Second)}}, 50, ""},
		{"no memory for the announced length", surroundings{}, 101, problem.CodeUnavailable},
		{"length not announced", surroundings{}, -1, ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			a := newAdmission(t, &c.around)
			a.look(t.Context())
			err := a.admitBytes(c.length)
			if c.want == "" {
				if err != nil {
					t.Errorf("refused: %v", err)
				}
				return
			}
			if p := problem.From(err); err == nil || p.Code != c.want || p.Status != 503 || p.RetryAfter <= 0 {
				t.Errorf("got %v, want 503 %s with Retry-After", err, c.want)
			}
		})
	}
}

func TestAdmissionStaysPausedWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	around := &surroundings{intake: jobqueue.Intake{PausedUntil: time.Now().Add(time.Hour)}}
	a := newAdmission(t, around)
	a.look(t.Context())
	around.intake, around.nats = jobqueue.Intake{}, errGone
	a.look(t.Context())
	for name, err := range map[string]error{"a photo": a.admit(), "a batch": a.admitBatch()} {
		if problem.From(err) == nil || problem.From(err).Code != problem.CodeIntakePaused {
			t.Errorf("%s: got %v, want %s", name, err, problem.CodeIntakePaused)
		}
	}
}

func TestAdmissionKeepsTheLastDepthWhileTheBrokerIsAway(t *testing.T) {
	t.Parallel()
	around := &surroundings{depth: map[job.Lane]jobqueue.Depth{job.LaneInteractive: {Pending: 10}}}
	a := newAdmission(t, around)
	a.look(t.Context())
	around.depth, around.nats = nil, errGone
	a.look(t.Context())
	if err := a.admit(); err == nil {
		t.Error("a full queue was forgotten when the broker went away")
	}
}

func TestAdmissionStaysOpenWhenItsDoorStops(t *testing.T) {
	t.Parallel()
	around := &surroundings{}
	a := newAdmission(t, around)
	a.look(t.Context())
	ctx, stop := context.WithCancelCause(t.Context())
	stop(lifecycle.ErrStopping)
	around.mysql, around.s3 = ctx.Err(), ctx.Err()
	a.look(ctx)
	if err := a.admit(); err != nil {
		t.Errorf("refused: %v; a look that was cancelled says nothing about the stores", err)
	}
}

func TestBudgetNeverHoldsMoreThanItsLimit(t *testing.T) {
	t.Parallel()
	b := newBudget(10, prometheus.NewGauge(prometheus.GaugeOpts{Name: "test"}))
	var takers sync.WaitGroup
	for range 8 {
		takers.Go(func() {
			for range 1000 {
				if b.take(3) {
					b.mu.Lock()
					if b.held > b.limit {
						t.Errorf("%d bytes are held, the limit is %d", b.held, b.limit)
					}
					b.mu.Unlock()
					b.give(3)
				}
			}
		})
	}
	takers.Wait()
	if b.held != 0 {
		t.Errorf("%d bytes are held at the end", b.held)
	}
}

func TestWaitingForTheBudget(t *testing.T) {
	t.Parallel()
	b := newBudget(10, prometheus.NewGauge(prometheus.GaugeOpts{Name: "test"}))
	release, err := b.wait(t.Context(), 1000) // more than there is counts as all of it
	if err != nil || b.held != 10 {
		t.Fatalf("%d bytes are held, %v", b.held, err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	stop(errGone)
	if _, err := b.wait(ctx, 1); !errors.Is(err, errGone) {
		t.Errorf("waiting in vain gives %v", err)
	}
	var waiters sync.WaitGroup
	for range 8 { // five at a time
		waiters.Go(func() {
			release, err := b.wait(t.Context(), 2)
			if err != nil {
				t.Error(err)
				return
			}
			release()
		})
	}
	release()
	waiters.Wait()
	if b.held != 0 {
		t.Errorf("%d bytes are held at the end", b.held)
	}
}

func TestBatchesHaveAQueueOfTheirOwn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		around       surroundings
		photo, batch bool
	}{
		"room":            {surroundings{batches: 19}, true, true},
		"full of batches": {surroundings{batches: 20}, true, false},
		"full of photos":  {surroundings{outside: 10}, false, true},
		"mysql away":      {surroundings{mysql: errGone}, false, false},
	} {
		a := newAdmission(t, &c.around)
		a.look(t.Context())
		if photo, batch := a.admit(), a.admitBatch(); (photo == nil) != c.photo || (batch == nil) != c.batch {
			t.Errorf("%s: a photo gets %v, a batch %v", name, photo, batch)
		}
	}
}
