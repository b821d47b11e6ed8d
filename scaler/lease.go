package scaler

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"maskfleet/pkg/fleet"
)

// leaseName is what scalers compete for.
const leaseName = "scaler"

// releaseTimeout bounds the last word to the broker.
const releaseTimeout = 2 * time.Second

// leaser is the broker as the lease sees it.
type leaser interface {
	AcquireLease(ctx context.Context, name, holder string) (ok bool, revision uint64, err error)
	ReleaseLease(ctx context.Context, name, holder string) error
}

// lease is the right to change the fleet, while it lasts.
type lease struct {
	broker  leaser
	holder  string // this run of the program and no other
	renewal time.Duration
	ttl     time.Duration
	log     *slog.Logger

	mu   sync.Mutex // guards held
	held fleet.Lease
}

func newLease(broker leaser, holder string, cfg Config, log *slog.Logger) *lease {
	return &lease{broker: broker, holder: holder, renewal: cfg.LeaseRenewal, ttl: cfg.Queue.PresenceTTL, log: log}
}

// Run asks for the lease again and again until ctx ends, and runs lead while it is
// held: lead's context ends when the lease is lost or ctx ends, and Run waits for it.
func (l *lease) Run(ctx context.Context, lead func(context.Context)) error {
	tick := time.NewTicker(l.renewal)
	defer tick.Stop()
	var done chan struct{} // closed when lead has returned; nil: it does not run
	depose := func() {}
	for {
		leads := l.renew(ctx)
		switch {
		case leads && done == nil:
			leading, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				lead(leading)
			}()
			done, depose = ended, cancel
		case !leads && done != nil:
			depose()
			<-done
			done = nil
		}
		select {
		case <-ctx.Done():
			depose()
			if done != nil {
				<-done
				l.release(ctx)
			}
			return nil
		case <-tick.C:
		}
	}
}

// renew says whether the lease is held. What was held stays so until its time is over,
// although the broker does not answer.
func (l *lease) renew(ctx context.Context) bool {
	asked := time.Now()
	ok, epoch, err := l.broker.AcquireLease(ctx, leaseName, l.holder)
	l.mu.Lock()
	defer l.mu.Unlock()
	before := l.leads(asked)
	switch {
	case err != nil: // nobody knows
	case ok:
		l.held = fleet.Lease{Epoch: epoch, Until: asked.Add(l.ttl)}
	default:
		l.held = fleet.Lease{}
	}
	now := l.leads(time.Now())
	if before != now && ctx.Err() == nil {
		l.log.WarnContext(ctx, "lease changed", "leading", now, "epoch", l.held.Epoch, "err", err)
	}
	return now
}

func (l *lease) leads(at time.Time) bool { return at.Before(l.held.Until) }

// current is what calls to the fleet carry.
func (l *lease) current() fleet.Lease {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
}

// leading says whether the lease is held at this moment.
func (l *lease) leading() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.leads(time.Now())
}

func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseTimeout)
	defer cancel()
	if err := l.broker.ReleaseLease(ctx, leaseName, l.holder); err != nil {
		l.log.WarnContext(ctx, "lease not released", "err", err)
	}
}
