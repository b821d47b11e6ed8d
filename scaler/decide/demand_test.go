package decide_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// TestLoadIsReadAsItIs: a steady load is read as such however far the ticks are apart,
// when they come irregularly, after readings that were missing, and when the count is of
// another moment than the tick.
func TestLoadIsReadAsItIs(t *testing.T) {
	t.Parallel()
	const load = 3.0
	random, counting := rand.New(rand.NewPCG(7, 8)), rand.New(rand.NewPCG(9, 10))
	cases := []struct {
		name  string
		tick  float64 // of the policy
		every func(tick int) time.Duration
		blind func(tick int) bool
		age   func(tick int) float64 // of the count
	}{
		{"a second", 1, func(int) time.Duration { return time.Second }, nil, nil},
		{"a little more", 1, func(int) time.Duration { return 1040 * time.Millisecond }, nil, nil},
		{"a little less", 1, func(int) time.Duration { return 970 * time.Millisecond }, nil, nil},
		{"irregular", 1, func(int) time.Duration {
			return 700*time.Millisecond + time.Duration(random.IntN(600))*time.Millisecond
		}, nil, nil},
		{"five times a second", 0.2, func(int) time.Duration { return 200 * time.Millisecond }, nil, nil},
		{"five seconds", 5, func(int) time.Duration { return 5 * time.Second }, nil, nil},
		{"a quarter of a minute", 15, func(int) time.Duration { return 15 * time.Second }, nil, nil},
		{"a minute", 60, func(int) time.Duration { return time.Minute }, nil, nil},
		{"gaps", 1, func(int) time.Duration { return time.Second }, func(tick int) bool { return tick%12 > 4 }, nil},
		{"counted every other tick", 1, func(int) time.Duration { return time.Second }, nil, func(tick int) float64 { return float64(tick % 2) }},
		{"counted at any time", 1, func(int) time.Duration { return time.Second }, nil, func(int) float64 { return counting.Float64() }},
		{"counted late", 1, func(int) time.Duration { return time.Second }, nil, func(tick int) float64 { return float64(tick % 5) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy.TickSeconds = c.tick
			w.slots(load)
			blind, age := false, 0.0
			w.spoil = func(o *decide.Observation) {
				o.Waiting.Known = !blind
				o.Accepted.Age = time.Duration(age * float64(time.Second))
				o.Accepted.Value -= age * w.perTick
			}
			for tick := range 400 {
				w.every = c.every(tick)
				blind = c.blind != nil && c.blind(tick)
				if c.age != nil {
					age = c.age(tick)
				}
				d := w.tick()
				if d.Inputs.LoadSlots == nil {
					continue
				}
				if read := *d.Inputs.LoadSlots; read < 0.99*load || read > 1.05*load {
					t.Fatalf("tick %d: a load of %g slots is read as %.2f: %s", tick, load, read, d.Reason)
				}
			}
		})
	}
}
