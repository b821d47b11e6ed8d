package faults

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/wire"
)

func code(err error) string {
	var known *wire.Error
	if errors.As(err, &known) {
		return known.Code
	}
	return ""
}

func TestCallsAreCounted(t *testing.T) {
	t.Parallel()
	var s Set
	if err := s.Put(Fault{Kind: Throttling, Operations: []string{"RunInstances"}, Calls: 2}); err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"RequestLimitExceeded", "RequestLimitExceeded", ""} {
		if got := code(s.Before(wire.Call{Dialect: wire.EC2, Operation: "DescribeInstances"})); got != "" {
			t.Errorf("another operation: %s", got)
		}
		if got := code(s.Before(wire.Call{Dialect: wire.EC2, Operation: "RunInstances"})); got != want {
			t.Errorf("call %d: %q, want %q", n+1, got, want)
		}
	}
	if left := s.List(); len(left) != 0 {
		t.Errorf("faults are left: %+v", left)
	}
}

func TestRate(t *testing.T) {
	t.Parallel()
	start := time.Now()
	f := Fault{Kind: Throttling, Rate: 2, passedAt: start}
	passed := 0
	for n := range 100 { // ten seconds, ten calls in each
		if f.passes(start.Add(time.Duration(n) * 100 * time.Millisecond)) {
			passed++
		}
	}
	if passed < 18 || passed > 22 {
		t.Errorf("%d of 100 calls passed, want about 20", passed)
	}
	passed = 0
	for range 10 {
		if f.passes(start.Add(time.Hour)) {
			passed++
		}
	}
	if passed > 2 {
		t.Errorf("after an idle hour %d calls passed at once, want at most a second's", passed)
	}
}

func TestCapacityIsUsedUp(t *testing.T) {
	t.Parallel()
	var s Set
	for _, f := range []Fault{{Kind: Capacity, Zones: []string{"a"}, Left: 5}, {Kind: Capacity, Types: []string{"big"}, Left: 3}} {
		if err := s.Put(f); err != nil {
			t.Fatal(err)
		}
	}
	if _, bounded := s.Capacity("b", "small"); bounded {
		t.Error("what no fault concerns is bounded")
	}
	if left, _ := s.Capacity("a", "big"); left != 3 {
		t.Errorf("%d are left where both hold, want 3", left)
	}
	s.Took("a", "big", 2)
	if left, _ := s.Capacity("a", "small"); left != 3 {
		t.Errorf("%d are left in the zone, want 3", left)
	}
	if left, _ := s.Capacity("b", "big"); left != 1 {
		t.Errorf("%d are left of the type, want 1", left)
	}
}

// done records what was asked for once.
type done struct{ asked []string }

func (d *done) SpotNotice(_ context.Context, instance, action string, after time.Duration) error {
	d.asked = append(d.asked, instance+" "+action+" "+after.String())
	return nil
}

func (d *done) LoseTargetGroup(name string) error {
	d.asked = append(d.asked, name)
	return nil
}

func (d *done) Freeze() {}

func TestControl(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		asked              string
	}{
		"a fault":              {"POST", "/faults", `{"kind":"empty","calls":1}`, 204, ""},
		"one that is none":     {"POST", "/faults", `{"kind":"earthquake"}`, 400, ""},
		"one misspelt":         {"POST", "/faults", `{"kind":"empty","cals":1}`, 400, ""},
		"an error without one": {"POST", "/faults", `{"kind":"error"}`, 400, ""},
		"an unseen for ever":   {"POST", "/faults", `{"kind":"unseen"}`, 400, ""},
		"take back":            {"DELETE", "/faults?kind=empty", "", 204, ""},
		"a notice":             {"POST", "/instances/i-1/spot-notice", `{"action":"terminate","after":"2m"}`, 204, "i-1 terminate 2m0s"},
		"a notice for no time": {"POST", "/instances/i-1/spot-notice", `{"action":"terminate"}`, 400, ""},
		"a group lost":         {"DELETE", "/target-groups/doors", "", 204, "doors"},
		"somewhere else":       {"GET", "/", "", 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &done{}
			w := httptest.NewRecorder()
			Handler(&Set{}, d).ServeHTTP(w, httptest.NewRequest(c.method, c.path, bytes.NewBufferString(c.body)))
			asked := ""
			if len(d.asked) > 0 {
				asked = d.asked[0]
			}
			if w.Code != c.status || asked != c.asked {
				t.Errorf("answers %d %q, asked for %q; want %d and %q", w.Code, w.Body, asked, c.status, c.asked)
			}
		})
	}
	t.Run("what holds is listed", func(t *testing.T) {
		t.Parallel()
		s := &Set{}
		if err := s.Put(Fault{Kind: Expired}); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		Handler(s, &done{}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/faults", http.NoBody))
		if got := w.Body.String(); got != `[{"kind":"expired-credentials"}]`+"\n" {
			t.Errorf("it lists %q", got)
		}
	})
}
