package scaler

import (
	"context"
	"maps"
	"sync"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/scaler/decide"
)

// leader is a scaler while it holds the lease.
type leader struct {
	*Service
	policy  *livePolicy
	journal *journal
	hands   *hands

	began    time.Time // to lead
	history  decide.History
	silent   map[string]time.Time // since when instances have been silent
	absent   absent
	saved    time.Time
	reported time.Time
	measured time.Time
	counted  tallies

	mu      sync.Mutex // guards what commands read
	latest  decide.Decision
	inForce decide.Policy
	seen    census
	known   bool   // seen is of any use
	follows bool   // the size is brought to the decision's target
	refusal string // why the document that was put last is not followed; empty: it is
}

// lead decides and acts until ctx ends, because the lease is lost or we are stopping.
func (s *Service) lead(ctx context.Context) {
	l, err := s.newLeader(ctx)
	if err != nil {
		s.tel.Log.ErrorContext(ctx, "cannot lead", "err", err)
		return
	}
	withdraw := l.offerCommands(ctx)
	defer withdraw()
	s.tel.Log.InfoContext(ctx, "leading", "epoch", s.lease.current().Epoch)
	for next := time.NewTimer(0); ; {
		select {
		case <-ctx.Done():
			l.hands.finish()
			l.metrics.hide()
			if err := s.save(ctx, s.lease.current().Epoch, l.memory()); err != nil {
				s.tel.Log.WarnContext(ctx, "what was learned is not saved", "err", err)
			}
			return
		case <-next.C:
			began := time.Now()
			every := time.Duration(l.tick(ctx).TickSeconds * float64(time.Second))
			next.Reset(max(0, every-time.Since(began)))
		}
	}
}

// newLeader takes over where the last leader stopped. It does not give up on a store
// that is away: nothing can be done without it.
func (s *Service) newLeader(ctx context.Context) (*leader, error) {
	initial, err := s.cfg.initialPolicy()
	if err != nil {
		return nil, err
	}
	l := &leader{
		Service: s, inForce: initial, began: time.Now(), silent: map[string]time.Time{}, absent: absent{},
		policy:  &livePolicy{broker: s.doors.Queue, log: s.tel.Log, current: initial},
		journal: &journal{store: s.doors.Store, events: s.doors.Queue, log: s.tel.Log, keep: s.cfg.KeepDecisions},
		hands:   newHands(s),
		counted: tallies{jobs: tally{}, requests: tally{}},
	}
	m, err := s.remember(ctx)
	if err != nil {
		return nil, err
	}
	l.history = m.History
	s.senses.inherit(m.Boots)
	return l, nil
}

func (l *leader) memory() memory { return memory{l.history, l.senses.bootsOfLate()} }

// tick is one round, and gives the policy by which it was made.
func (l *leader) tick(ctx context.Context) decide.Policy {
	policy := l.policy.refresh(ctx)
	now := time.Now()
	seen, known := l.look()
	observation := l.senses.observe(now, seen, known)
	decision := l.history.Advance(observation, policy)
	l.show(decision, policy, seen, known)
	l.journal.note(ctx, decision)
	l.report(ctx, now, decision, observation)
	l.measure(ctx, now)
	l.keepMemory(ctx, now)
	if known && l.hands.remembers(ctx) {
		l.hands.act(ctx, seen, decision, l.policy.followable())
	}
	return policy
}

// look takes the census of the last listing; known is false if there is none.
func (l *leader) look() (c census, known bool) {
	found, at := l.senses.listing.last()
	if at.IsZero() {
		return census{}, false
	}
	dangling := map[string]bool{}
	for _, i := range found.Instances {
		if i.Health != fleet.HealthDangling {
			continue
		}
		dangling[i.ID] = true
		if _, noted := l.silent[i.ID]; !noted {
			l.silent[i.ID] = found.At
		}
	}
	maps.DeleteFunc(l.silent, func(id string, _ time.Time) bool { return !dangling[id] })
	c = takeCensus(found.Listing, found.workers, l.hands.retiring(), unheard{l.silent, found.At.Sub(l.began) < l.boot()})
	c.reporting += l.absent.count(c, found.workers)
	if b, _ := l.senses.backlog.last(); b.canary != "" {
		c.spare(b.canary)
	}
	return c, true
}

// boot is how long one takes: as measured, and before that as the policy says.
func (l *leader) boot() time.Duration {
	if measured := l.senses.bootTime(); measured > 0 {
		return measured
	}
	return time.Duration(l.inForce.Wait.BootSeconds * float64(time.Second))
}

// show is what commands read.
func (l *leader) show(d decide.Decision, p decide.Policy, c census, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.latest, l.inForce, l.seen, l.known, l.refusal = d, p, c, known, ""
	l.follows = l.policy.followable()
	if err := l.policy.refusal; err != nil {
		l.refusal = whatIsWrong(err)
	}
	l.metrics.show(d, c)
}

// report tells the fleet's reading, for charts and replays.
func (l *leader) report(ctx context.Context, now time.Time, d decide.Decision, o decide.Observation) {
	if now.Sub(l.reported) < l.cfg.ReportInterval || !o.Fleet.Known || !o.Waiting.Known {
		return
	}
	l.reported = now
	l.mu.Lock()
	c := l.seen
	l.mu.Unlock()
	waits, _ := l.senses.backlog.last()
	r := jobqueue.FleetReading{
		StartedAt: l.senses.began, Accepted: o.Accepted.Value, Finished: o.Finished.Value, Worked: o.Worked.Value,
		Waiting: waits.waiting + waits.held, InFlight: int(o.InFlight.Value), CPU: d.Inputs.CPU,
		Ready: c.count(ready), Starting: c.count(starting), Draining: c.count(draining), Stopped: c.count(resting),
		Target: d.Target, Boot: o.Boot.Seconds(),
	}
	if err := l.doors.Queue.ReportFleet(ctx, r); err != nil {
		l.tel.Log.DebugContext(ctx, "reading of the fleet not told", "err", err)
	}
}

func (l *leader) keepMemory(ctx context.Context, now time.Time) {
	if l.saved.IsZero() {
		l.saved = now
	}
	if now.Sub(l.saved) < l.cfg.SaveInterval {
		return
	}
	l.saved = now
	if err := l.save(ctx, l.lease.current().Epoch, l.memory()); err != nil {
		l.tel.Log.WarnContext(ctx, "what was learned is not saved", "err", err)
	}
}
