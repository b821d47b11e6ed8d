package scaler

import (
	"testing"
	"time"
)

// TestTally: every photo is told once, whichever window its reading falls into.
func TestTally(t *testing.T) {
	t.Parallel()
	since := at()
	began, again := since.Add(-time.Hour), since.Add(time.Second)
	heard := func(n int) time.Time { return since.Add(time.Duration(n) * 5 * time.Second) }
	counts := tally{}
	for n, c := range []struct {
		what    string
		process string
		counter counter
		want    float64
	}{
		{"the first reading of one that is at it for long", "a", counter{began, heard(0), 100}, 0},
		{"two windows overlap", "a", counter{began, heard(0), 100}, 0},
		{"it went on", "a", counter{began, heard(1), 107}, 7},
		{"a reading from before", "a", counter{began, heard(0), 100}, 0},
		{"across windows", "a", counter{began, heard(20), 110}, 3},
		{"began anew", "a", counter{again, heard(21), 2}, 2},
		{"a newcomer beside it", "b", counter{again, heard(21), 4}, 4},
		{"the first goes on", "a", counter{again, heard(22), 3}, 1},
	} {
		if got := counts.rise(c.process, c.counter, since); got != c.want {
			t.Errorf("%d, %s: %g, want %g", n, c.what, got, c.want)
		}
	}
	if counts.forget(heard(22)); len(counts) != 1 {
		t.Errorf("%d are remembered, want 1", len(counts))
	}
}
