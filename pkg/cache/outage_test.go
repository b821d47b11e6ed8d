package cache_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/cache"
	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

// calls is every call of the door, to be tried while Redis is away.
func calls(c *cache.Cache, p job.Photo) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"Ping":        c.Ping,
		"PutResult":   func(ctx context.Context) error { return c.PutResult(ctx, p.OwnerID, p) },
		"Result":      func(ctx context.Context) error { _, _, err := c.Result(ctx, p.ID); return err },
		"Forget":      func(ctx context.Context) error { _, err := c.Forget(ctx, p.ID); return err },
		"Notify":      func(ctx context.Context) error { return c.Notify(ctx, p.ID) },
		"PutSession":  func(ctx context.Context) error { return c.PutSession(ctx, p.OwnerID, "t", nil, time.Hour) },
		"Session":     func(ctx context.Context) error { _, _, err := c.Session(ctx, "t"); return err },
		"DropSession": func(ctx context.Context) error { return c.DropSession(ctx, "t") },
		"DropUserSessions": func(ctx context.Context) error {
			return c.DropUserSessions(ctx, p.OwnerID)
		},
		"Allow": func(ctx context.Context) error { _, _, err := c.Allow(ctx, "k", 1, time.Hour); return err },
		"Peek":  func(ctx context.Context) error { _, _, err := c.Peek(ctx, "k", 1); return err },
	}
}

// promptly is the product's own limit of 250 ms and the patience for a busy machine.
const promptly = 2 * time.Second

func TestRedisAway(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	cfg := server.Config()
	cfg.Timeout = 0 // the product's
	c, p := open(t, cfg), succeeded(t)
	expectAway := func(t *testing.T) {
		t.Helper()
		for name, try := range calls(c, p) {
			began := time.Now()
			err := try(t.Context())
			if !errors.Is(err, cache.ErrUnavailable) {
				t.Errorf("%s: got %v, want ErrUnavailable", name, err)
			}
			if took := time.Since(began); took > promptly {
				t.Errorf("%s took %s to notice", name, took)
			}
		}
	}
	expectBack := func(t *testing.T) {
		t.Helper()
		for name, try := range calls(c, p) {
			eventually(t, name+" works again", func() bool { return try(t.Context()) == nil })
		}
	}
	expectBack(t)

	server.Kill()
	expectAway(t)
	server.Start(t)
	expectBack(t)

	server.Freeze()
	expectAway(t)
	server.Thaw()
	expectBack(t)

	server.Stop()
	expectAway(t)
}

func TestRedisEmptied(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	ctx, c, p := t.Context(), open(t, server.Config()), succeeded(t)
	if err := c.PutResult(ctx, p.OwnerID, p); err != nil {
		t.Fatal(err)
	}
	if err := c.PutSession(ctx, p.OwnerID, "t", nil, time.Hour); err != nil {
		t.Fatal(err)
	}
	server.Empty(t)
	if _, ok, err := c.Result(ctx, p.ID); ok || err != nil {
		t.Errorf("result: %t, %v, want it simply gone", ok, err)
	}
	if _, ok, err := c.Session(ctx, "t"); ok || err != nil {
		t.Errorf("session: %t, %v, want it simply gone", ok, err)
	}
	for name, try := range calls(c, p) {
		if err := try(ctx); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// expectNotice sends until the listener hears it: a subscription takes effect at
// some moment that nothing announces.
func expectNotice(tb testing.TB, c *cache.Cache, notices <-chan job.ID, id job.ID) {
	tb.Helper()
	eventually(tb, "the notice arrives", func() bool {
		_ = c.Notify(tb.Context(), id) // Redis may just be coming up
		for {
			select {
			case got, open := <-notices:
				if !open {
					tb.Fatal("the channel is closed")
				}
				if got == id {
					return true
				}
			case <-time.After(50 * time.Millisecond):
				return false
			}
		}
	})
}

func TestNotices(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	c, listener := open(t, server.Config()), open(t, server.Config())
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	notices := listener.Notices(ctx)
	expectNotice(t, c, notices, newID(t))

	server.Kill()
	server.Start(t)
	expectNotice(t, c, notices, newID(t))

	server.Empty(t)
	expectNotice(t, c, notices, newID(t))

	cancel()
	for open := true; open; {
		select {
		case _, open = <-notices:
		case <-time.After(promptly):
			t.Fatal("the channel stays open after its context ended")
		}
	}
}

func TestNoticesWaitForARedisThatComesLater(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	server.Stop()
	c := open(t, server.Config())
	notices := c.Notices(t.Context())
	if err := c.Notify(t.Context(), uuid.New()); !errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("got %v, want ErrUnavailable", err)
	}
	server.Start(t)
	expectNotice(t, c, notices, newID(t))
}

func TestNoticesEndWhileRedisIsAway(t *testing.T) {
	t.Parallel()
	server := testenv.NewRedis(t)
	server.Stop()
	ctx, cancel := context.WithCancel(t.Context())
	notices := open(t, server.Config()).Notices(ctx)
	cancel()
	select {
	case _, open := <-notices:
		if open {
			t.Error("a notice out of nowhere")
		}
	case <-time.After(promptly):
		t.Error("the channel stays open after its context ended")
	}
}
