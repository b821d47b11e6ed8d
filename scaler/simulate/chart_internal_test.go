package simulate

import "testing"

// TestHoursBelowChartsArePlain, also of a trace of months.
func TestHoursBelowChartsArePlain(t *testing.T) {
	t.Parallel()
	for hours, says := range map[float64]string{2: "0.33 h", 9: "1.5 h", 24: "4 h", 15_000: "2500 h"} {
		if got := (Comparison{Hours: hours}).ticks()[1].Text; got != says {
			t.Errorf("a sixth of %g h is %q, want %q", hours, got, says)
		}
	}
}
