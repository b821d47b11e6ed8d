package manager

import (
	"context"
	"sync"
	"testing"
	"time"

	"maskfleet/pkg/testenv"
)

// TestLookDoesNotWaitForWhatIsSlow: whoever looks first gets a page in its time, and
// what is read meanwhile is there for the next look.
func TestLookDoesNotWaitForWhatIsSlow(t *testing.T) {
	t.Parallel()
	asked, answer := make(chan struct{}), make(chan int)
	once := sync.OnceFunc(func() { close(asked) }) // a look at the start of the loop makes it read twice
	g := &gauge[int]{
		name: "slow", every: time.Hour, timeout: time.Hour, stale: time.Hour, lazy: true, log: testenv.Logger(t),
		wake: make(chan struct{}, 1), taken: make(chan struct{}),
		read: func(ctx context.Context) (int, error) {
			once()
			select {
			case n := <-answer:
				return n, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		},
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- g.Run(ctx) }()
	t.Cleanup(func() { stop(); <-ended })

	look, enough := context.WithCancel(t.Context())
	go func() { <-asked; enough() }() // the look ends, and the reading goes on
	if _, read := g.fresh(look); read.Known() {
		t.Error("known before anybody has answered")
	}
	g.mu.Lock()
	taken := g.taken
	g.mu.Unlock()
	answer <- 7
	<-taken
	if n, read := g.last(); n != 7 || !read.Known() {
		t.Errorf("the reading of an ended look is lost: %d", n)
	}
}

// heldGauge is one whose readings begin and end as the test wants: each gives the
// channel that it waits at for its value.
func heldGauge(t *testing.T) (*gauge[int], <-chan chan int) {
	t.Helper()
	readings := make(chan chan int)
	return &gauge[int]{
		name: "held", every: time.Hour, timeout: time.Hour, stale: time.Hour, log: testenv.Logger(t),
		wake: make(chan struct{}, 1), taken: make(chan struct{}),
		read: func(ctx context.Context) (int, error) {
			value := make(chan int)
			select {
			case readings <- value:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
			select {
			case n := <-value:
				return n, nil
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		},
	}, readings
}

// TestReadingThatBeganLastCounts: one that began before something was done, and ends
// after one that began later, neither shows the past nor satisfies whoever wants news.
func TestReadingThatBeganLastCounts(t *testing.T) {
	t.Parallel()
	g, readings := heldGauge(t)
	begin := func() (value chan int, ended chan struct{}) {
		ended = make(chan struct{})
		go func() { defer close(ended); g.once(t.Context()) }()
		return <-readings, ended
	}
	first, firstEnded := begin()
	second, secondEnded := begin()
	second <- 2
	<-secondEnded
	first <- 1
	<-firstEnded
	if n, _ := g.last(); n != 2 {
		t.Errorf("a reading that began earlier overwrites a later one: %d", n)
	}

	older, olderEnded := begin()
	newer, newerEnded := begin()
	older <- 3
	<-olderEnded
	if g.mu.Lock(); g.ended != 3 {
		t.Errorf("reading 3 has ended, and %d is said to have", g.ended)
	}
	g.mu.Unlock()
	newer <- 4
	<-newerEnded
	if n, _ := g.last(); n != 4 {
		t.Errorf("the newest reading is lost: %d", n)
	}
}

// TestReadingThatRunsOutOfItsTimeIsFollowedByARest: else the dearest would be repeated
// back to back, and a look waits for no reading that does not come.
func TestReadingThatRunsOutOfItsTimeIsFollowedByARest(t *testing.T) {
	t.Parallel()
	g, readings := heldGauge(t)
	g.timeout, g.rest, g.dear = time.Millisecond, time.Hour, func(int) bool { return false }
	go func() { <-readings }() // and gives no value
	g.once(t.Context())
	if !g.resting() {
		t.Error("it does not rest after the dearest reading of all")
	}
	look, enough := context.WithTimeout(t.Context(), time.Minute)
	defer enough()
	if g.fresh(look); look.Err() != nil {
		t.Error("a look waits for a reading that rests")
	}

	quick, readings := heldGauge(t)
	quick.rest, quick.dear = time.Hour, func(n int) bool { return n > 10 }
	for _, c := range []struct {
		value int
		rests bool
	}{{3, false}, {11, true}, {4, false}} {
		go func() { value := <-readings; value <- c.value }()
		quick.once(t.Context())
		if quick.resting() != c.rests {
			t.Errorf("after it read %d it rests: %t", c.value, !c.rests)
		}
	}
}
