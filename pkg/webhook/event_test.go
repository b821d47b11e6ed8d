package webhook

import (
	"slices"
	"testing"

	"maskfleet/pkg/job"
)

func TestRule(t *testing.T) {
	t.Parallel()
	all := Rule{Events: Types(), UnmaskedAbove: 2}
	photos := []struct {
		rule     Rule
		state    job.State
		unmasked int
		want     []Type
	}{
		{all, job.StateSucceeded, 2, []Type{DetectionCompleted}},
		{all, job.StateSucceeded, 3, []Type{DetectionCompleted, AlertUnmasked}},
		{all, job.StateFailed, 0, []Type{DetectionFailed}},
		{all, job.StateExpired, 0, []Type{DetectionFailed}},
		{all, job.StateCancelled, 0, nil},
		{all, job.StateQueued, 9, nil},
		{Rule{}, job.StateSucceeded, 9, nil},
		{Rule{Events: []Type{AlertUnmasked}}, job.StateSucceeded, 1, []Type{AlertUnmasked}},
		{Rule{Events: []Type{AlertUnmasked}}, job.StateSucceeded, 0, nil},
		{Rule{Events: []Type{DetectionFailed}}, job.StateSucceeded, 9, nil},
	}
	for _, c := range photos {
		if got := c.rule.OfPhoto(c.state, c.unmasked); !slices.Equal(got, c.want) {
			t.Errorf("%+v, %s with %d unmasked: got %v, want %v", c.rule, c.state, c.unmasked, got, c.want)
		}
	}
	for _, state := range job.BatchStates() {
		got := all.OfBatch(state)
		if state.Terminal() != (len(got) == 1 && slices.Contains(Types(), got[0])) {
			t.Errorf("a batch that is %s: got %v", state, got)
		}
		if got := (Rule{Events: []Type{DetectionCompleted}}).OfBatch(state); len(got) > 0 {
			t.Errorf("nobody wants %v", got)
		}
	}
}
