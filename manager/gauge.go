package manager

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"maskfleet/pkg/webui"
)

// unwatchedAfter is how long after somebody looked a lazy gauge goes on.
const unwatchedAfter = 20 * time.Second

// gauge reads one thing again and again and keeps the last good value.
type gauge[T any] struct {
	name    string
	every   time.Duration
	timeout time.Duration
	stale   time.Duration // the age from which the value counts as old
	lazy    bool          // it reads only while somebody looks: what it reads is dear
	dear    func(T) bool  // a reading after which it rests, as after one that ran out of its time; nil: each is as dear
	rest    time.Duration // from the end of a dear reading
	read    func(context.Context) (T, error)
	log     *slog.Logger
	wake    chan struct{} // somebody looks at what nobody looked at for a while

	mu           sync.Mutex // guards all below
	value        T
	at           time.Time     // of value; zero: none yet
	failingSince time.Time     // zero: the last reading was good
	lookedAt     time.Time     // when somebody did last
	restsUntil   time.Time     // the last reading was dear
	taken        chan struct{} // closed by the next reading, good or not
	begun, ended int           // how many readings began; the number of the last of them that ended
}

// Run reads until ctx ends.
func (g *gauge[T]) Run(ctx context.Context) error {
	tick := time.NewTicker(g.every)
	defer tick.Stop()
	for {
		if g.watched() && !g.resting() {
			g.once(ctx)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-g.wake:
		}
	}
}

func (g *gauge[T]) watched() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !g.lazy || time.Since(g.lookedAt) < unwatchedAfter
}

// resting says that the last reading was too dear to be taken again already.
func (g *gauge[T]) resting() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return time.Now().Before(g.restsUntil)
}

// fresh is last for the first look at a page: a lazy gauge that nobody has looked at
// for a while reads now, by its own loop and in its own time, and the look waits for
// that as long as ctx allows. One that rests will not read for it.
func (g *gauge[T]) fresh(ctx context.Context) (T, webui.Reading) {
	g.mu.Lock()
	old, taken := time.Since(g.at) > g.every+g.timeout, g.taken
	g.lookedAt = time.Now()
	g.mu.Unlock()
	if old && !g.resting() {
		select {
		case g.wake <- struct{}{}:
		default: // woken already
		}
		select {
		case <-taken:
		case <-ctx.Done():
		}
	}
	return g.last()
}

// again has it read anew, and waits for that as long as ctx allows: a reading that was
// going on may not show what has just been done. What nobody looks at, or is too dear,
// is left alone.
func (g *gauge[T]) again(ctx context.Context) {
	if !g.watched() || g.resting() {
		return
	}
	g.mu.Lock()
	wanted := g.begun + 1
	g.mu.Unlock()
	select {
	case g.wake <- struct{}{}:
	default: // woken already
	}
	for {
		g.mu.Lock()
		done, taken := g.ended >= wanted, g.taken
		g.mu.Unlock()
		if done {
			return
		}
		select {
		case <-taken:
		case <-ctx.Done():
			return
		}
	}
}

// once takes a reading, as the loop does and whoever has changed what it reads: they may
// overlap, and the one that began last counts.
func (g *gauge[T]) once(ctx context.Context) {
	reading, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	g.mu.Lock()
	g.begun++
	n := g.begun
	g.mu.Unlock()
	value, err := g.read(reading)
	if ctx.Err() != nil {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if n < g.ended { // one that began later has ended: this one knows less
		return
	}
	g.ended = n
	g.restsUntil = time.Time{}
	if g.dear != nil && (reading.Err() != nil || err == nil && g.dear(value)) {
		g.restsUntil = time.Now().Add(g.rest)
	}
	close(g.taken)
	g.taken = make(chan struct{})
	switch {
	case err == nil && !g.failingSince.IsZero():
		g.log.InfoContext(ctx, "reading works again", "reading", g.name)
	case err != nil && g.failingSince.IsZero():
		g.log.WarnContext(ctx, "reading does not work", "reading", g.name, "err", err)
		g.failingSince = time.Now()
	}
	if err == nil {
		g.value, g.at, g.failingSince = value, time.Now(), time.Time{}
	}
}

// last is the last good value and how fresh it is. A single reading that did not
// work is no news yet.
func (g *gauge[T]) last() (T, webui.Reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.lookedAt = time.Now()
	missing := g.at.IsZero() && !g.failingSince.IsZero()
	return g.value, webui.Reading{At: g.at, Stale: missing || !g.at.IsZero() && time.Since(g.at) > g.stale}
}

// trouble says since when readings have not worked, if that is long enough to tell.
func (g *gauge[T]) trouble() (since time.Time, telling bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.failingSince, !g.failingSince.IsZero() && (g.at.IsZero() || time.Since(g.at) > g.stale)
}
