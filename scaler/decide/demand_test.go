package decide_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// TestLoadIsReadAsItIs: a steady load is read as such however far the ticks are apart,
// when they come irregularly, and after readings that were missing.
func TestLoadIsReadAsItIs(t *testing.T) {
	t.Parallel()
	const load = 3.0
	random := rand.New(rand.NewPCG(7, 8))
	cases := []struct {
		name  string
		tick  float64 // of the policy
		every func(tick int) time.Duration
		blind func(tick int) bool
	}{
		{"a second", 1, func(int) time.Duration { return time.Second }, nil},
		{"a little more", 1, func(int) time.Duration { return 1040 * time.Millisecond }, nil},
		{"a little less", 1, func(int) time.Duration { return 970 * time.Millisecond }, nil},
		{"irregular", 1, func(int) time.Duration {
			return 700*time.Millisecond + time.Duration(random.IntN(600))*time.Millisecond
		}, nil},
		{"five times a second", 0.2, func(int) time.Duration { return 200 * time.Millisecond }, nil},
		{"five seconds", 5, func(int) time.Duration { return 5 * time.Second }, nil},
		{"a quarter of a minute", 15, func(int) time.Duration { return 15 * time.Second }, nil},
		{"a minute", 60, func(int) time.Duration { return time.Minute }, nil},
		{"gaps", 1, func(int) time.Duration { return time.Second }, func(tick int) bool { return tick%12 > 4 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.policy.TickSeconds = c.tick
			w.slots(load)
			blind := false
			w.spoil = func(o *decide.Observation) { o.Waiting.Known = !blind }
			for tick := range 400 {
				w.every = c.every(tick)
				blind = c.blind != nil && c.blind(tick)
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
