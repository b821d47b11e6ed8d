package jobqueue_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"maskfleet/pkg/jobqueue"
)

const shortTTL = time.Second

func presenceTTL(d time.Duration) func(*jobqueue.Config) {
	return func(c *jobqueue.Config) { c.PresenceTTL = d }
}

func acquire(t *testing.T, q *jobqueue.Queue, holder string) (bool, uint64) {
	t.Helper()
	ok, revision, err := q.AcquireLease(t.Context(), "dispatcher", holder)
	if err != nil {
		t.Fatal(err)
	}
	return ok, revision
}

func TestLeaseHasOneHolder(t *testing.T) {
	t.Parallel()
	b := start(t)
	ok, first := acquire(t, b.Queue, "a")
	if !ok {
		t.Fatal("a free lease was not given")
	}
	if ok, revision := acquire(t, b.Queue, "b"); ok || revision != 0 {
		t.Fatal("a held lease was given to another")
	}
	ok, renewed := acquire(t, b.Queue, "a")
	if !ok || renewed <= first {
		t.Fatalf("renewed %t at revision %d, want above %d", ok, renewed, first)
	}
	if err := b.ReleaseLease(t.Context(), "dispatcher", "b"); err != nil { // not b's to give
		t.Fatal(err)
	}
	if ok, _ := acquire(t, b.Queue, "b"); ok {
		t.Fatal("another released the lease")
	}
	if err := b.ReleaseLease(t.Context(), "dispatcher", "a"); err != nil {
		t.Fatal(err)
	}
	ok, second := acquire(t, b.Queue, "b")
	if !ok || second <= renewed {
		t.Fatalf("taken %t at revision %d, want above %d", ok, second, renewed)
	}
	if ok, _ := acquire(t, b.Queue, "a"); ok {
		t.Fatal("the loss of a lease went unnoticed")
	}
}

func TestLeaseEndsWithoutRenewal(t *testing.T) {
	t.Parallel()
	b := start(t, presenceTTL(shortTTL))
	acquire(t, b.Queue, "a")
	left, _, err := b.AcquireLease(t.Context(), "left-alone", "a")
	if err != nil || !left {
		t.Fatal(left, err)
	}
	renewed := time.Now()
	eventually(t, "the lease that nobody renews is over", func() bool {
		asked := time.Now()
		ok, _ := acquire(t, b.Queue, "a")
		if !ok && time.Since(renewed) < shortTTL { // or this machine was too slow for it
			t.Fatal("a lease renewed in time was lost")
		}
		renewed = asked
		if taken, _ := acquire(t, b.Queue, "b"); taken && time.Since(renewed) < shortTTL {
			t.Fatal("a lease renewed in time was given to another")
		}
		over, _, err := b.AcquireLease(t.Context(), "left-alone", "b")
		return err == nil && over
	})
	_, last := acquire(t, b.Queue, "a")
	eventually(t, "lease free", func() bool {
		ok, revision := acquire(t, b.Queue, "b")
		return ok && revision > last
	})
	if ok, _ := acquire(t, b.Queue, "a"); ok {
		t.Error("the loss of a lease went unnoticed")
	}
}

func TestLeaseAskedForByManyAtOnce(t *testing.T) {
	t.Parallel()
	b := start(t)
	queues := map[string]*jobqueue.Queue{}
	for _, holder := range []string{"a", "b", "c", "d"} {
		queues[holder] = open(t, b.cfg)
	}
	for round := range 25 {
		var holders atomic.Int32
		var group sync.WaitGroup
		for holder, q := range queues {
			group.Go(func() {
				ok, _, err := q.AcquireLease(t.Context(), fmt.Sprint("lease-", round), holder)
				if err != nil {
					t.Error(err)
				}
				if ok {
					holders.Add(1)
				}
			})
		}
		group.Wait()
		if got := holders.Load(); got != 1 {
			t.Fatalf("round %d: got %d holders, want 1", round, got)
		}
	}
}

func TestLeaseRevisionOutlivesTheStore(t *testing.T) {
	t.Parallel()
	b := start(t)
	_, before := acquire(t, b.Queue, "a")
	b.server.Restart()
	b.untilBack(t)
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	ok, restarted := acquire(t, b.Queue, "a")
	if !ok || restarted != before+1 {
		t.Errorf("after a restart: got %t at revision %d, want %d", ok, restarted, before+1)
	}
	b.server.DeleteStore()
	b.untilBack(t)
	if err := b.Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	if ok, revision := acquire(t, b.Queue, "b"); !ok || revision <= restarted {
		t.Errorf("after the loss of the store: got %t at revision %d, want above %d", ok, revision, restarted)
	}
}
