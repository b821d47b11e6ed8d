package manager

import (
	"strings"
	"testing"
)

// TestAStepThatChangesNothing: the scaler counts from the pin, and the board may show the
// size before it.
func TestAStepThatChangesNothing(t *testing.T) {
	t.Parallel()
	pinned := func(size int) []scalerOverride { return []scalerOverride{{Kind: "pin", Size: size, Who: "bob"}} }
	for _, c := range []struct {
		name    string
		shown   int // the board's target
		answer  sizeAnswer
		nothing bool
	}{
		{"one of the policy", 1, sizeAnswer{Was: 1, Size: 1}, true},
		{"one by a pin that is not followed yet", 4, sizeAnswer{Was: 4, Size: 1, Ended: pinned(1)}, true},
		{"from two to one", 2, sizeAnswer{Was: 2, Size: 1}, false},
		{"from a pin of two, and one is shown", 1, sizeAnswer{Was: 1, Size: 1, Ended: pinned(2)}, false},
		{"from a pin of five to the four that are shown", 4, sizeAnswer{Was: 4, Size: 4, Ended: pinned(5)}, false},
		{"a pin of none", 0, sizeAnswer{Ended: pinned(0)}, false},
	} {
		s := &Service{board: &board{}}
		s.board.fleet.scaler = &gauge[scalerStatus]{value: scalerStatus{Decision: &scalerDecision{Target: c.shown}}}
		page := s.confirmShrink(stepRequest{}, c.answer)
		if said := strings.Contains(page.Consequence, "One is the fewest"); page.Nothing != c.nothing || said != c.nothing {
			t.Errorf("%s: nothing is %t, %q", c.name, page.Nothing, page.Consequence)
		}
	}
	if page := confirmStep(stepRequest{}, sizeAnswer{Was: 4, Size: 4, Ended: pinned(3)}); page.Nothing {
		t.Errorf("one more than a pin of three says %q and cannot be pressed", page.Consequence)
	}
}
