package decide

import "testing"

// TestClockThatStepsBackForgetsNoWeek: only what lies after the new present goes, and it
// goes whole.
func TestClockThatStepsBackForgetsNoWeek(t *testing.T) {
	t.Parallel()
	const start = 29_000_000 // minutes
	needed := func(minute int) float64 { return float64(1 + minute%7) }
	for _, back := range []int{1, 5, 60, 90, 2000} {
		c := calendar{}
		for minute := start; minute <= start+weekMinutes; minute++ {
			c.note(float64(minute)*60+2, needed(minute))
		}
		now := start + weekMinutes - back
		c.note(float64(now)*60+58, 0)
		if c.Peak != needed(now) {
			t.Errorf("%d minutes back: the present minute needed %g, %g is known", back, needed(now), c.Peak)
		}
		for minute := start; minute < start+weekMinutes; minute++ {
			want := needed(minute)
			if minute >= now {
				want = 0
			}
			if got := float64(c.Needs[c.at(int64(minute))]); got != want {
				t.Fatalf("%d minutes back: minute %d needs %g, want %g", back, minute-start, got, want)
			}
		}
	}
}
