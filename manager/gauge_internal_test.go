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
