package decide_test

import (
	"regexp"
	"testing"
)

// TestReasonsAreInPlainNumbers, however much or little there is to do.
func TestReasonsAreInPlainNumbers(t *testing.T) {
	t.Parallel()
	exponent := regexp.MustCompile(`\de[+-]\d`)
	for load, says := range map[float64]string{
		1e-7: "0 photos a second keep 0 slots busy", 0.5: "4.17 photos a second keep 0.5 slots busy",
		2.26: "18.8 photos a second keep 2.3 slots busy", 130: "1083 photos a second keep 130 slots busy", 6400: "53333 photos a second keep 6400 slots busy",
	} {
		w := newWorld(t)
		w.policy.Max = 10_000
		w.ready = int(load) + 1
		w.slots(load)
		d := w.run(60)
		found := false
		for _, want := range d.Wants {
			found = found || want.Why == says
			if exponent.MatchString(want.Why) {
				t.Errorf("a load of %g slots: %s", load, want.Why)
			}
		}
		if !found {
			t.Errorf("a load of %g slots: nothing says %q: %+v", load, says, d.Wants)
		}
	}
}
