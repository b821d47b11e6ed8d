package scaler

import (
	"net/http"
	"testing"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobqueue/command"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/testenv"
	"maskfleet/scaler/decide"
)

// TestDraftsDoNotOverwrite: of two that began with the same document the second is
// refused, whoever put the first, and so is one of a scaler that leads no more.
func TestDraftsDoNotOverwrite(t *testing.T) {
	t.Parallel()
	_, broker := testenv.NATS(t)
	dial := func(user string) *jobqueue.Queue {
		q, err := jobqueue.Open(t.Context(), broker.As(user), testenv.Logger(t))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(q.Close)
		return q
	}
	if err := dial("setup").Ensure(t.Context()); err != nil {
		t.Fatal(err)
	}
	queue := dial("scaler")
	l := &leader{
		Service: &Service{doors: Doors{Queue: queue}, lease: &lease{held: fleet.Lease{Until: time.Now().Add(time.Hour)}}},
		inForce: decide.DefaultPolicy(),
	}
	begin := func() *draft {
		d, err := l.draft(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	refused := func(what string, d *draft, status int) {
		t.Helper()
		if _, err := l.put(t.Context(), command.Call{}, d); err == nil || problem.From(err).Status != status {
			t.Errorf("%s: %v, want %d", what, err, status)
		}
	}
	for range 2 { // of nobody's document, then of one
		first, second, third := begin(), begin(), begin()
		if _, err := l.put(t.Context(), command.Call{DryRun: true}, third); err != nil {
			t.Fatal(err)
		}
		first.policy.Max = 3
		if _, err := l.put(t.Context(), command.Call{}, first); err != nil {
			t.Fatal(err)
		}
		second.policy.Max = 5
		refused("a second draft", second, http.StatusConflict)
		if now := begin(); now.policy.Max != 3 || now.version != first.policy.Version {
			t.Errorf("there stands %+v", now)
		}
	}
	d := begin()
	if _, err := queue.PutScalingPolicy(t.Context(), []byte(`{"format":1,"version":40}`), d.instead); err != nil {
		t.Fatal(err)
	}
	refused("a draft of what somebody has typed over", d, http.StatusConflict)
	if d = begin(); d.version != 40 {
		t.Errorf("the next version is %d, want that after 40", d.version+1)
	}
	l.lease.held = fleet.Lease{}
	refused("without the lease", d, http.StatusServiceUnavailable)
}
