package simulate_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"maskfleet/scaler/decide"
	"maskfleet/scaler/simulate"
)

// day is two hours with a jump in the middle.
func day() simulate.Recording {
	r := simulate.Recording{
		From: time.Date(2026, time.March, 2, 8, 0, 0, 0, time.UTC), BinSeconds: 1, Accepted: make([]int, 7200), Instances: 2,
		Services: []time.Duration{80 * time.Millisecond, 120 * time.Millisecond, 160 * time.Millisecond},
		Boots:    []time.Duration{50 * time.Second, 60 * time.Second, 70 * time.Second},
	}
	for second := range r.Accepted {
		r.Accepted[second] = 9
		if second >= 3600 && second < 4800 {
			r.Accepted[second] = 52
		}
	}
	return r
}

func TestReplayTellsPoliciesApart(t *testing.T) {
	t.Parallel()
	p := decide.DefaultPolicy()
	p.Kind, p.Manual.Size = decide.Manual, 2
	few, err := simulate.Replay(day(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Manual.Size = 8
	many, err := simulate.Replay(day(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Kind = decide.TargetWait
	waits, err := simulate.Replay(day(), p)
	if err != nil {
		t.Fatal(err)
	}
	if few.InstanceHours > 6 || few.LateShare < 0.5 {
		t.Errorf("two instances: %v", few)
	}
	if many.LateShare > 0 || many.InstanceHours < 15 {
		t.Errorf("eight instances: %v", many)
	}
	if waits.LateShare > few.LateShare/4 || waits.InstanceHours > many.InstanceHours/1.5 {
		t.Errorf("target-wait: %v; two: %v; eight: %v", waits, few, many)
	}
	if text := many.String(); !strings.HasPrefix(text, "would have cost ") || !strings.Contains(text, "0 % late") {
		t.Errorf("it says %q", text)
	}
}

// TestReplayedIsInPlainNumbers, also if nearly all or nearly nothing was late.
func TestReplayedIsInPlainNumbers(t *testing.T) {
	t.Parallel()
	for share, says := range map[float64]string{0: "0.00 % late", 0.00004: "0.00 % late", 0.004: "0.40 % late", 0.997: "99.70 % late", 1: "100.00 % late"} {
		if text := (simulate.Replayed{LateShare: share}).String(); !strings.Contains(text, ", "+says) {
			t.Errorf("a share of %g: %q", share, text)
		}
	}
}

// TestReplayKeepsTheHours: a schedule holds at the hours of the recording, an override
// of a person is not the policy's.
func TestReplayKeepsTheHours(t *testing.T) {
	t.Parallel()
	p := decide.DefaultPolicy()
	p.Kind = decide.Manual
	p.Overrides = []decide.Override{{Kind: decide.Pin, Size: 8, Who: "ann", Why: "a demo"}}
	p.Schedules = []decide.Schedule{{Name: "nine", From: "09:00", To: "10:00", Min: 8}}
	got, err := simulate.Replay(day(), p)
	if err != nil {
		t.Fatal(err)
	}
	if got.InstanceHours < 8.5 || got.InstanceHours > 10 || got.Peak != 8 {
		t.Errorf("an hour of one and an hour of eight: %v", got)
	}
}

func TestNothingToReplay(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*simulate.Recording){
		"no bins":          func(r *simulate.Recording) { r.Accepted = nil },
		"too long":         func(r *simulate.Recording) { r.BinSeconds = 3600 },
		"beyond all time":  func(r *simulate.Recording) { r.BinSeconds = math.MaxInt/7200 + 1 }, // times 7,200 it is negative
		"bins of no time":  func(r *simulate.Recording) { r.BinSeconds = 0 },
		"no service times": func(r *simulate.Recording) { r.Services = nil },
		"no time at all":   func(r *simulate.Recording) { r.Services = []time.Duration{0} },
		"negative":         func(r *simulate.Recording) { r.Accepted[3] = -1 },
	} {
		r := day()
		spoil(&r)
		if _, err := simulate.Replay(r, decide.DefaultPolicy()); !errors.Is(err, simulate.ErrNoDay) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	bad := decide.DefaultPolicy()
	bad.Max = 0
	if _, err := simulate.Replay(day(), bad); !errors.Is(err, decide.ErrPolicy) {
		t.Errorf("a policy that cannot be followed: %v", err)
	}
}
