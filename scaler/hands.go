package scaler

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/jobstore"
	"maskfleet/scaler/decide"
)

// pool is the fleet as the hands see it.
type pool interface {
	Settle(ctx context.Context, lease fleet.Lease) error
	Grow(ctx context.Context, lease fleet.Lease, n int) (fleet.Growth, error)
	Stop(ctx context.Context, lease fleet.Lease, ids ...string) ([]string, error)
	Terminate(ctx context.Context, lease fleet.Lease, ids ...string) ([]string, error)
	Register(ctx context.Context, lease fleet.Lease, ids ...string) error
	Deregister(ctx context.Context, lease fleet.Lease, ids ...string) error
}

// retirements is MySQL as the hands see it.
type retirements interface {
	BeginRetirement(ctx context.Context, r jobstore.Retirement) error
	EndRetirement(ctx context.Context, instance string) error
	RecallRetirement(ctx context.Context, instance string) (bool, error)
	ListRetirements(ctx context.Context) ([]jobstore.Retirement, error)
}

// orders is the broker as the hands see it.
type orders interface {
	teller
	Request(ctx context.Context, subject string, header map[string]string, data []byte) (jobqueue.Answer, error)
}

// hands change the fleet. One round at a time; while AWS is slow, rounds are left out.
type hands struct {
	cfg     Config
	fleet   pool
	store   retirements
	broker  orders
	lease   *lease
	log     *slog.Logger
	running sync.WaitGroup

	acting  sync.Mutex           // held by whoever changes the fleet
	told    map[string]time.Time // workers, to drain; under acting
	settled bool                 // what the last leader launched is known; under acting

	mu      sync.Mutex // guards all below
	leaving map[string]jobstore.Retirement
	loaded  bool      // leaving is what MySQL has
	changed time.Time // when the fleet was changed last: a list begun earlier does not show it
	trouble error     // why the last round did less than it should; nil: it did not
}

func newHands(s *Service) *hands {
	return &hands{
		cfg: s.cfg, fleet: s.doors.Fleet, store: s.doors.Store, broker: s.doors.Queue, lease: s.lease, log: s.tel.Log,
		leaving: map[string]jobstore.Retirement{}, told: map[string]time.Time{},
	}
}

// remembers says whether it is known who is retiring; without that nobody may act.
func (h *hands) remembers(ctx context.Context) bool {
	h.mu.Lock()
	loaded := h.loaded
	h.mu.Unlock()
	if loaded {
		return true
	}
	all, err := h.store.ListRetirements(ctx)
	if err != nil {
		h.log.WarnContext(ctx, "who is retiring is not known", "err", err)
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, r := range all {
		h.leaving[r.Instance] = r
	}
	h.loaded = true
	return true
}

// retiring gives those that are on their way out, by instance.
func (h *hands) retiring() map[string]jobstore.Retirement {
	h.mu.Lock()
	defer h.mu.Unlock()
	return maps.Clone(h.leaving)
}

// act begins a round, unless one is going on or the census is older than the last
// change. The size of the fleet is left alone unless resize.
func (h *hands) act(ctx context.Context, c census, d decide.Decision, resize bool) {
	if !h.acting.TryLock() {
		return
	}
	h.mu.Lock()
	fresh := c.at.After(h.changed)
	h.mu.Unlock()
	if !fresh {
		h.acting.Unlock()
		return
	}
	h.running.Go(func() {
		defer h.acting.Unlock()
		err := h.round(ctx, c, d, resize)
		h.mu.Lock()
		defer h.mu.Unlock()
		if err != nil && (h.trouble == nil || h.trouble.Error() != err.Error()) {
			h.log.WarnContext(ctx, "not all was done", "err", err)
		}
		h.trouble = err
	})
}

// lastTrouble is why the last round did less than it should.
func (h *hands) lastTrouble() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.trouble
}

// finish waits for the round that is going on.
func (h *hands) finish() { h.running.Wait() }

// round brings the fleet closer to the decision. What was begun goes on whatever was
// decided; what changes the size is left alone by a decision that was blind, because
// the size itself may be wrong.
func (h *hands) round(ctx context.Context, c census, d decide.Decision, resize bool) error {
	steps := []step{{h.settle, true}, {h.goOnRetiring, false}, {h.weed, false}, {h.register, false}, {h.replace, true}}
	if resize && d.Acts() {
		steps = append(steps, step{h.recall, true}, step{h.grow, true}, step{h.shrink, true})
	}
	var errs []error
	for _, s := range steps {
		done, err := s.do(ctx, c, d)
		if done {
			h.note()
		}
		errs = append(errs, err) // one target that is refused must hold up no other step
		if s.resizes && done {
			break // the census is no longer true
		}
	}
	return errors.Join(errs...)
}

// step does one thing, if there is need; done says that it changed something.
type step struct {
	do      func(ctx context.Context, c census, d decide.Decision) (done bool, err error)
	resizes bool
}

func (h *hands) note() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changed = time.Now()
}

// settle finds out once what the last leader launched and did not live to see.
func (h *hands) settle(ctx context.Context, _ census, _ decide.Decision) (bool, error) {
	if h.settled {
		return false, nil
	}
	if err := h.fleet.Settle(ctx, h.lease.current()); err != nil {
		return false, err // growing tries it again, and does not grow without
	}
	h.settled = true
	return true, nil
}

// weed ends stopped instances of an older version, which would never be started again.
func (h *hands) weed(ctx context.Context, c census, _ decide.Decision) (bool, error) {
	var ids []string
	for _, m := range c.in(resting) {
		if m.State == fleet.StateStopped && m.Outdated && m.retirement == nil {
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 {
		return false, nil
	}
	ended, err := h.fleet.Terminate(ctx, h.lease.current(), ids...)
	return len(ended) > 0, err
}

// register puts instances that run before the balancer.
func (h *hands) register(ctx context.Context, c census, _ decide.Decision) (bool, error) {
	var ids []string
	for _, m := range c.members {
		if m.State == fleet.StateRunning && m.counts() && m.Target.State == fleet.TargetNone {
			ids = append(ids, m.ID)
		}
	}
	if len(ids) == 0 || h.cfg.Fleet.TargetGroup == "" {
		return false, nil
	}
	return true, h.fleet.Register(ctx, h.lease.current(), ids...)
}

// staleCensus is how old a list of instances may be by which one of them is given up.
const staleCensus = 15 * time.Second

// replace ends instances that failed; the next decision sees that they are missing.
func (h *hands) replace(ctx context.Context, c census, _ decide.Decision) (bool, error) {
	if time.Since(c.at) > staleCensus {
		return false, nil
	}
	for _, m := range c.in(failed) {
		if err := h.retire(ctx, m, true, "", m.why); err != nil {
			return true, err
		}
	}
	return c.count(failed) > 0, nil
}

// recall keeps instances that were to leave: free of charge, and at once. One that
// cannot be kept holds up neither the others nor, if it is the only one, growth.
func (h *hands) recall(ctx context.Context, c census, d decide.Decision) (recalled bool, _ error) {
	var errs []error
	for _, m := range recalls(c, d.Target-c.size()) {
		err := h.takeBack(ctx, m)
		recalled = recalled || err == nil
		errs = append(errs, err)
	}
	return recalled, errors.Join(errs...)
}

// takeBack asks the balancer first, which may refuse: a worker that was told to go on and
// then to drain again would take photos in between.
func (h *hands) takeBack(ctx context.Context, m member) error {
	if err := h.fleet.Register(ctx, h.lease.current(), m.ID); err != nil {
		return err
	}
	for _, w := range m.workers {
		if err := h.tell(ctx, w.ID, "resume"); err != nil {
			return err
		}
		delete(h.told, w.ID)
	}
	recalled, err := h.store.RecallRetirement(ctx, m.ID)
	if err != nil {
		return err
	}
	if !recalled { // meanwhile a person made it leave for good: it is drained again
		return fmt.Errorf("recalling %s: it is to leave for good", m.ID)
	}
	h.mu.Lock()
	if !h.leaving[m.ID].Final { // else it was retired anew in this very moment
		delete(h.leaving, m.ID)
	}
	h.mu.Unlock()
	h.log.InfoContext(ctx, "instance recalled", "instance_id", m.ID)
	h.broker.AnnounceFleet(ctx, jobqueue.EventRecalled, m.ID, fleetEvent{At: time.Now().UTC()})
	return nil
}

// grow starts and launches what is missing.
func (h *hands) grow(ctx context.Context, c census, d decide.Decision) (bool, error) {
	missing := d.Target - c.size()
	if missing <= 0 {
		return false, nil
	}
	g, err := h.fleet.Grow(ctx, h.lease.current(), missing)
	for _, id := range slices.Concat(g.Found, g.Started, g.Launched) {
		h.broker.AnnounceFleet(ctx, jobqueue.EventLaunched, id, fleetEvent{At: time.Now().UTC(), Why: d.Reason})
	}
	// Although nothing came of it, the next try has to look before.
	return true, err
}

// shrink retires what is too many.
func (h *hands) shrink(ctx context.Context, c census, d decide.Decision) (bool, error) {
	surplus := c.size() - d.Target
	if surplus <= 0 {
		return false, nil
	}
	by := ""
	if d.Override != nil {
		by = d.Override.Who
	}
	picked := victims(c, surplus, time.Now(), h.cfg.leastAge(d))
	for _, m := range picked {
		if err := h.retire(ctx, *m, false, by, d.Reason); err != nil {
			return true, err
		}
	}
	return len(picked) > 0, nil
}

// retire writes down that an instance leaves; goOnRetiring does the rest.
func (h *hands) retire(ctx context.Context, m member, final bool, by, why string) error {
	r := jobstore.Retirement{
		Instance: m.ID, Epoch: h.lease.current().Epoch, Final: final, AskedBy: by, Reason: why, BegunAt: time.Now().UTC(),
	}
	if err := h.store.BeginRetirement(ctx, r); err != nil {
		return err
	}
	h.mu.Lock()
	if before, retiring := h.leaving[m.ID]; retiring {
		before.Final = before.Final || final
		r = before
	}
	h.leaving[m.ID] = r
	h.mu.Unlock()
	h.log.InfoContext(ctx, "instance retires", "instance_id", m.ID, "final", final, "by", by, "reason", why)
	h.broker.AnnounceFleet(ctx, jobqueue.EventRetiring, m.ID, fleetEvent{At: time.Now().UTC(), By: by, Why: why})
	return nil
}

// goOnRetiring does what is next for each that leaves.
func (h *hands) goOnRetiring(ctx context.Context, c census, _ decide.Decision) (changed bool, _ error) {
	var deregister []string
	var end []member
	var errs []error
	now := time.Now()
	leaving := h.retiring()
	if len(leaving) == 0 {
		clear(h.told)
	}
	for _, id := range slices.Sorted(maps.Keys(leaving)) {
		r := leaving[id]
		m, there := c.find(id)
		m.retirement = &r
		next := chore{forget: true}
		if there {
			next = nextChore(m, now, h.cfg.DrainDeadline)
		}
		for _, worker := range next.drain {
			h.tellToDrain(ctx, worker, now)
		}
		if next.deregister {
			deregister = append(deregister, id)
		}
		if next.end {
			end = append(end, m)
		}
		if next.forget {
			errs = append(errs, h.forget(ctx, id))
		}
	}
	// What is refused for one must not keep the others here past their deadline.
	if len(deregister) > 0 {
		changed = true
		errs = append(errs, h.fleet.Deregister(ctx, h.lease.current(), deregister...))
	}
	if len(end) > 0 {
		changed = true
		errs = append(errs, h.end(ctx, c, end))
	}
	return changed, errors.Join(errs...)
}

// end stops as many as are to be kept stopped, and terminates the others.
func (h *hands) end(ctx context.Context, c census, leaving []member) error {
	var stop, terminate []string
	room := h.cfg.KeepStopped - c.count(resting)
	for _, m := range leaving {
		if !m.retirement.Final && !m.Spot && len(stop) < room {
			stop = append(stop, m.ID)
		} else {
			terminate = append(terminate, m.ID)
		}
	}
	var errs []error
	for _, some := range []struct {
		ids []string
		do  func(context.Context, fleet.Lease, ...string) ([]string, error)
	}{{stop, h.fleet.Stop}, {terminate, h.fleet.Terminate}} {
		if len(some.ids) == 0 {
			continue
		}
		ended, err := some.do(ctx, h.lease.current(), some.ids...)
		for _, id := range ended {
			h.broker.AnnounceFleet(ctx, jobqueue.EventEnded, id, fleetEvent{At: time.Now().UTC()})
		}
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

func (h *hands) forget(ctx context.Context, id string) error {
	if err := h.store.EndRetirement(ctx, id); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.leaving, id)
	return nil
}

// tellAgain is how long a worker's next sign of life may take to show that it drains.
const tellAgain = 6 * time.Second

func (h *hands) tellToDrain(ctx context.Context, worker string, now time.Time) {
	if now.Sub(h.told[worker]) < tellAgain {
		return
	}
	h.told[worker] = now
	if err := h.tell(ctx, worker, "drain"); err != nil { // it is silent, or has just gone
		h.log.WarnContext(ctx, "worker not told to drain", "worker_id", worker, "err", err)
	}
}

// tell asks a worker for one of its commands. One that hears and does not answer, such
// as that of a machine that stands still, must not hold up the fleet.
func (h *hands) tell(ctx context.Context, worker, what string) error {
	ctx, cancel := context.WithTimeout(ctx, h.cfg.ReadTimeout)
	defer cancel()
	subject := fmt.Sprintf("maskfleet.worker.%s.%s", worker, what)
	_, err := command.Ask[struct{}](ctx, h.broker, subject, command.Asker{Name: "scaler", Via: command.ViaNATS}, struct{}{})
	return err
}

// fleetEvent is what is told of an instance.
type fleetEvent struct {
	At  time.Time `json:"at"`
	By  string    `json:"by,omitempty"`
	Why string    `json:"why,omitempty"`
}
