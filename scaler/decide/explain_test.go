package decide_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"maskfleet/scaler/decide"
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
			found = found || strings.HasPrefix(want.Why, says)
			if exponent.MatchString(want.Why) {
				t.Errorf("a load of %g slots: %s", load, want.Why)
			}
		}
		if !found {
			t.Errorf("a load of %g slots: nothing says %q: %+v", load, says, d.Wants)
		}
	}
}

// TestRateSaysWhyMoreThanAreBusy, and nothing where as many as are busy will do.
func TestRateSaysWhyMoreThanAreBusy(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		load   float64
		target float64
		says   string
	}{
		{0.5, 10, "keep 0.5 slots busy"},
		{1.9, 10, "keep 1.9 slots busy, and they may be busy 85 % of the time"},
		{1.9, 0.2, "keep 1.9 slots busy, and with fewer more than one photo in a hundred would be late"},
	} {
		w := newWorld(t)
		w.policy.Wait.TargetSeconds = c.target
		w.ready = 4
		w.slots(c.load)
		d := w.run(60)
		if i := slices.IndexFunc(d.Wants, func(want decide.Want) bool { return want.Name == decide.WantRate }); i < 0 || !strings.HasSuffix(d.Wants[i].Why, c.says) {
			t.Errorf("a load of %g slots: %+v, want it to say %q", c.load, d.Wants, c.says)
		}
	}
}
