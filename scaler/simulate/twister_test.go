package simulate

import "testing"

// TestTwister holds the generator against numbers that CPython printed for seed 1.
func TestTwister(t *testing.T) {
	t.Parallel()
	r := newTwister(1)
	for _, want := range []float64{0.13436424411240122, 0.8474337369372327, 0.763774618976614} {
		if got := r.uniform(); got != want {
			t.Errorf("uniform: got %v, want %v", got, want)
		}
	}
	r = newTwister(1)
	if got, want := r.logNormal(0, 1), 1.8357550305018295; got != want {
		t.Errorf("log-normal: got %v, want %v", got, want)
	}
	if got, want := r.exponential(2400), 1641.7410711830405; got != want {
		t.Errorf("exponential: got %v, want %v", got, want)
	}
	if got, want := r.gauss(0.25)+r.gauss(0.25), -0.23162196114402572; got != want {
		t.Errorf("gauss: got %v, want %v", got, want)
	}
}
