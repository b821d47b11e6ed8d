package cache_test

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/cache"
	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

func open(tb testing.TB, c cache.Config) *cache.Cache {
	tb.Helper()
	fast := cache.Open(c)
	tb.Cleanup(func() { _ = fast.Close() })
	return fast
}

func newID(tb testing.TB) uuid.UUID {
	tb.Helper()
	id, err := job.NewID()
	if err != nil {
		tb.Fatal(err)
	}
	return id
}

func succeeded(tb testing.TB) job.Photo {
	tb.Helper()
	now := time.Date(2026, 11, 23, 12, 0, 0, 123456000, time.UTC)
	return job.Photo{
		ID: newID(tb), OwnerID: newID(tb), Lane: job.LaneInteractive, Source: job.SourceUpload,
		Filename: "gate 7.jpg", ContentType: "image/jpeg", Bytes: 1234, Width: 640, Height: 480, SHA256: "ab",
		Metadata: map[string]string{"gate": "7"}, CreatedAt: now, DoneAt: now.Add(time.Second),
		Row: job.Row{State: job.StateSucceeded, Publication: 1, Fence: 1, Attempts: 1, Confirmed: true, Due: true},
		Result: &job.Result{
			Faces: []job.Face{{Label: job.LabelMasked, Confidence: 0.97, Box: job.Box{XMin: 1, YMin: 2, XMax: 3, YMax: 4}}},
			Model: job.Model{Name: "m", Version: "1"}, Timing: job.Timing{Total: 83 * time.Millisecond}, Width: 640, Height: 480,
		},
	}
}

// eventually waits for a condition on another process, which nothing here can
// announce.
func eventually(tb testing.TB, what string, holds func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if holds() {
			return
		}
	}
	tb.Fatalf("not within twenty seconds: %s", what)
}

func TestResult(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	p := succeeded(t)

	if _, ok, err := c.Result(ctx, p.ID); ok || err != nil {
		t.Fatalf("before it is put: %t, %v", ok, err)
	}
	p.Failure = job.Fail(job.CodeInternal, errors.New("secret of an earlier attempt"))
	if err := c.PutResult(ctx, p.OwnerID, p); err != nil {
		t.Fatal(err)
	}
	got, ok, err := c.Result(ctx, p.ID)
	if !ok || err != nil {
		t.Fatalf("after it is put: %t, %v", ok, err)
	}
	p.Failure = nil
	if diff := cmp.Diff(p, got); diff != "" {
		t.Errorf("the photo changed on its way (-put +got):\n%s", diff)
	}

	second := p
	second.Filename = "another"
	if err := c.PutResult(ctx, second.OwnerID, second); err != nil {
		t.Fatalf("putting again: %v", err)
	}
	if got, _, _ := c.Result(ctx, p.ID); got.Filename != p.Filename {
		t.Error("a second result replaced the first")
	}
}

func TestAnswerIsWhatTheAPISays(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	p := succeeded(t)
	if answer, _, ok, err := c.Answer(ctx, p.ID); ok || err != nil {
		t.Fatalf("before it is put: %q, %t, %v", answer, ok, err)
	}
	if err := c.PutResult(ctx, p.OwnerID, p); err != nil {
		t.Fatal(err)
	}
	want, err := json.Marshal(apiv1.NewDetection(p))
	if err != nil {
		t.Fatal(err)
	}
	answer, owner, ok, err := c.Answer(ctx, p.ID)
	if !ok || err != nil || owner != p.OwnerID {
		t.Fatalf("after it is put: of %s, %t, %v, want it of %s", owner, ok, err, p.OwnerID)
	}
	if diff := cmp.Diff(string(want), string(answer)); diff != "" {
		t.Errorf("the answer changed on its way (-put +got):\n%s", diff)
	}
	if _, err := c.Forget(ctx, p.ID); err != nil {
		t.Fatal(err)
	}
	if answer, _, ok, err := c.Answer(ctx, p.ID); ok || err != nil {
		t.Errorf("forgotten: %q, %t, %v", answer, ok, err)
	}
}

func TestPutResultRefuses(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	waiting := succeeded(t)
	waiting.Row.State = job.StateQueued
	if err := c.PutResult(ctx, waiting.OwnerID, waiting); err == nil {
		t.Error("a photo that waits was cached as a result")
	}
	foreign := succeeded(t)
	if err := c.PutResult(ctx, newID(t), foreign); err == nil {
		t.Error("a photo was cached for somebody else")
	}
}

func TestForgetStaysForgotten(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	for _, before := range []string{"cached", "not cached"} {
		p := succeeded(t)
		if before == "cached" {
			if err := c.PutResult(ctx, p.OwnerID, p); err != nil {
				t.Fatal(err)
			}
		}
		for _, was := range []bool{before == "cached", false} {
			if got, err := c.Forget(ctx, p.ID); err != nil || got != was {
				t.Errorf("%s: forgetting it: %t, %v, want %t", before, got, err, was)
			}
		}
		if err := c.PutResult(ctx, p.OwnerID, p); err != nil {
			t.Errorf("%s: putting a forgotten result: %v", before, err)
		}
		if _, ok, err := c.Result(ctx, p.ID); ok || err != nil {
			t.Errorf("%s: a forgotten result came back: %t, %v", before, ok, err)
		}
	}
}

// However many put a result while it is forgotten, it is gone in the end.
func TestForgetRacesWithPut(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	for range 20 {
		p := succeeded(t)
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				if err := c.PutResult(ctx, p.OwnerID, p); err != nil {
					t.Error(err)
				}
			})
		}
		all.Go(func() {
			if _, err := c.Forget(ctx, p.ID); err != nil {
				t.Error(err)
			}
		})
		all.Wait()
		if _, ok, err := c.Result(ctx, p.ID); ok || err != nil {
			t.Fatalf("a forgotten result is there: %t, %v", ok, err)
		}
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	user, other := newID(t), newID(t)
	tokens := []string{rawToken(t), rawToken(t), rawToken(t)}
	owners := []uuid.UUID{user, user, other}
	for i, token := range tokens {
		if err := c.PutSession(ctx, owners[i], token, []byte(token+"'s data"), time.Hour); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when string, want ...bool) {
		t.Helper()
		for i, token := range tokens {
			data, ok, err := c.Session(ctx, token)
			if err != nil || ok != want[i] || ok && string(data) != token+"'s data" {
				t.Errorf("%s, session %d: got %q, %t, %v, want it there: %t", when, i, data, ok, err, want[i])
			}
		}
	}
	expect("all put", true, true, true)
	if err := c.DropSession(ctx, tokens[0]); err != nil {
		t.Fatal(err)
	}
	expect("one dropped", false, true, true)
	if err := c.DropUserSessions(ctx, user); err != nil {
		t.Fatal(err)
	}
	expect("all of a user dropped", false, false, true)
	if err := c.DropUserSessions(ctx, user); err != nil {
		t.Errorf("dropping what is dropped: %v", err)
	}
}

func TestSessionEnds(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	user, short, long := newID(t), rawToken(t), rawToken(t)
	if err := c.PutSession(ctx, user, long, nil, time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := c.PutSession(ctx, user, short, nil, 50*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the short session ends", func() bool {
		_, ok, err := c.Session(ctx, short)
		return !ok && err == nil
	})
	if _, ok, _ := c.Session(ctx, long); !ok {
		t.Fatal("the long session ended with the short one")
	}
	if err := c.DropUserSessions(ctx, user); err != nil {
		t.Fatal(err)
	}
	if _, ok, _ := c.Session(ctx, long); ok {
		t.Error("the short session's end took the long one off the user's list")
	}
}

func rawToken(tb testing.TB) string {
	tb.Helper()
	return "token " + newID(tb).String()
}

func TestAllow(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	key := rawToken(t)
	for i := range 3 {
		if ok, _, err := c.Allow(ctx, key, 3, time.Hour); !ok || err != nil {
			t.Fatalf("use %d: %t, %v", i, ok, err)
		}
	}
	ok, retryAfter, err := c.Allow(ctx, key, 3, time.Hour)
	if ok || err != nil || retryAfter <= 59*time.Minute || retryAfter > time.Hour {
		t.Errorf("a use too many: got %t, %s, %v", ok, retryAfter, err)
	}
	if ok, _, err := c.Allow(ctx, key+" other", 3, time.Hour); !ok || err != nil {
		t.Errorf("another key shares the limit: %t, %v", ok, err)
	}

	window := rawToken(t)
	if ok, _, err := c.Allow(ctx, window, 1, 200*time.Millisecond); !ok || err != nil {
		t.Fatalf("first use of a short window: %t, %v", ok, err)
	}
	eventually(t, "the window ends although uses go on", func() bool {
		ok, _, err := c.Allow(ctx, window, 1, 200*time.Millisecond)
		return ok && err == nil
	})
}

func TestPeekCountsNothing(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	key := rawToken(t)
	for use := range 3 {
		for range 5 {
			if ok, _, err := c.Peek(ctx, key, 3); !ok || err != nil {
				t.Fatalf("after %d uses: %t, %v", use, ok, err)
			}
		}
		if ok, _, err := c.Allow(ctx, key, 3, time.Hour); !ok || err != nil {
			t.Fatalf("use %d: %t, %v", use+1, ok, err)
		}
	}
	ok, retryAfter, err := c.Peek(ctx, key, 3)
	if ok || err != nil || retryAfter <= 59*time.Minute || retryAfter > time.Hour {
		t.Errorf("after the last use: got %t, %s, %v", ok, retryAfter, err)
	}
}

func TestAllowCountsTogether(t *testing.T) {
	t.Parallel()
	ctx, c := t.Context(), open(t, testenv.Redis(t))
	key := rawToken(t)
	var all sync.WaitGroup
	allowed := make(chan struct{}, 40)
	for range 40 {
		all.Go(func() {
			ok, _, err := c.Allow(ctx, key, 10, time.Hour)
			if err != nil {
				t.Error(err)
			}
			if ok {
				allowed <- struct{}{}
			}
		})
	}
	all.Wait()
	if len(allowed) != 10 {
		t.Errorf("%d uses were allowed, want 10", len(allowed))
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	good := cache.Config{Address: "127.0.0.1:6379", ResultTTL: time.Hour}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, bad := range []cache.Config{{Address: "redis", ResultTTL: time.Hour}, {Address: "127.0.0.1:6379"}} {
		if bad.Validate() == nil {
			t.Errorf("accepted: %+v", bad)
		}
	}
}

func TestCancelledCallerIsNoOutage(t *testing.T) {
	t.Parallel()
	c := open(t, testenv.Redis(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Ping(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, cache.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
