package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Growth is what came of the wish for more instances.
type Growth struct {
	Found    []string // of launches whose answer was lost; no list has shown them yet
	Started  []string // that had been stopped
	Launched []string
}

// Grow adds n instances: it starts stopped ones of the present version, then launches
// what is missing, at the cheapest type and the emptiest zone that have some left. It
// may add fewer; then the error says why: ErrNoCapacity, ErrLimit, ErrBootsFail and
// ErrRefused mean that asking again soon is in vain, any other that it is not. An
// instance counts from now on, though EC2 may not list it yet.
//
// What an earlier call left open, of this process or of another, is settled before:
// what is found then is some of the n, for whoever counted did not know of it.
func (f *Fleet) Grow(ctx context.Context, lease Lease, n int) (Growth, error) {
	f.acting.Lock()
	defer f.acting.Unlock()
	g, err := f.grow(ctx, lease, n)
	if err != nil {
		return g, fmt.Errorf("growing the fleet by %d: %w", n, err)
	}
	return g, nil
}

func (f *Fleet) grow(ctx context.Context, lease Lease, n int) (g Growth, err error) {
	g.Found, err = f.settle(ctx, lease)
	if f.tried(g.Found); err != nil {
		return g, err
	}
	n -= len(g.Found)
	if n <= 0 {
		return g, nil
	}
	allowed, err := f.allowed(n)
	if err != nil {
		return g, err
	}
	instances, err := f.look(ctx)
	if err != nil {
		return g, err
	}
	f.sequence++
	g.Started, err = f.startStopped(ctx, lease, instances, allowed)
	if f.tried(g.Started); err != nil {
		return g, err
	}
	g.Launched, err = f.launchAll(ctx, lease, allowed-len(g.Started), zones(instances))
	if f.tried(g.Launched); err != nil {
		return g, err
	}
	if allowed < n {
		return g, fmt.Errorf("%w: one is tried", ErrBootsFail)
	}
	return g, nil
}

// allowed is how many instances may be asked for.
func (f *Fleet) allowed(n int) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if f.offers.atLimit(now) {
		return 0, fmt.Errorf("%w: nothing is asked for until %s", ErrLimit, f.offers.limited.UTC().Format(time.TimeOnly))
	}
	allowed := f.boots.allow(now, n)
	if allowed == 0 {
		return 0, fmt.Errorf("%w after %d failed boots in a row", ErrBootsFail, f.boots.failed)
	}
	return allowed, nil
}

// tried says which instances are new, if any.
func (f *Fleet) tried(ids []string) {
	if len(ids) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boots.tried(time.Now())
}

// zones counts the instances that are up in each.
func zones(instances []Instance) map[string]int {
	count := make(map[string]int)
	for _, i := range instances {
		if i.Up() {
			count[i.Zone]++
		}
	}
	return count
}

// launchAll goes through the offers, each once, until there are n instances or nothing
// is left to ask for.
func (f *Fleet) launchAll(ctx context.Context, lease Lease, n int, inZone map[string]int) (launched []string, _ error) {
	var (
		refused  []offer
		refusals []error
	)
	for attempt := 1; len(launched) < n; {
		f.mu.Lock()
		orders := f.offers.plan(time.Now(), n-len(launched), inZone, refused...)
		f.mu.Unlock()
		if len(orders) == 0 {
			return launched, noOffer(refusals)
		}
		for _, o := range orders {
			ids, err := f.launch(ctx, lease, o, attempt)
			attempt++
			launched = append(launched, ids...)
			inZone[o.Zone] += len(ids)
			if err == nil && len(ids) == o.count {
				continue
			}
			if err != nil && !f.tryOther(ctx, o.offer, err) {
				return launched, err
			}
			f.setAside(o.offer)
			refused, refusals = append(refused, o.offer), append(refusals, err)
		}
	}
	return launched, nil
}

// tryOther says whether another offer may be had where this one was refused.
func (f *Fleet) tryOther(ctx context.Context, o offer, err error) bool {
	switch {
	case errors.Is(err, ErrNoCapacity):
		f.log.InfoContext(ctx, "no capacity", "type", o.Type, "zone", o.Zone, "err", err)
	case errors.Is(err, ErrRefused):
		f.log.ErrorContext(ctx, "launch refused", "type", o.Type, "zone", o.Zone, "err", err)
	case errors.Is(err, ErrLimit):
		f.mu.Lock()
		f.offers.limit(time.Now())
		f.mu.Unlock()
		return false
	default:
		return false
	}
	return true
}

func (f *Fleet) setAside(o offer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.offers.setAside(time.Now(), o)
}

// noOffer is the error of having asked for everything.
func noOffer(refusals []error) error {
	refusals = slices.DeleteFunc(refusals, func(err error) bool { return err == nil || errors.Is(err, ErrNoCapacity) })
	if len(refusals) > 0 {
		return errors.Join(refusals...)
	}
	return fmt.Errorf("%w of any type in any zone", ErrNoCapacity)
}
