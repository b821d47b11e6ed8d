package decide

import (
	"math"
	"testing"
)

// TestRecentIsOfItsSeconds: what came within some seconds is no more than those seconds
// can have brought, also when the ticks are further apart.
func TestRecentIsOfItsSeconds(t *testing.T) {
	t.Parallel()
	const perSecond, target = 20, 10
	for _, every := range []float64{0.5, 1, 1.03, 4, 7, 30} {
		d := demand{}
		d.begin(1e9)
		for tick := 1; tick <= 60; tick++ {
			d.note(&arrivals{
				counted: 1e9 + float64(tick)*every, seconds: every, photos: perSecond * every,
				believed: 0.1, target: target, fast: 10,
			})
		}
		if got := target * d.perSecond(target); math.Abs(got-perSecond*target) > 0.01 {
			t.Errorf("ticks of %g s: %.1f photos in the last %d s, there were %d", every, got, target, perSecond*target)
		}
	}
}

// TestWhatCameInAGapIsNotKnown: after a pause in which nothing was counted, the rate is
// that of the seconds since, not of the pause.
func TestWhatCameInAGapIsNotKnown(t *testing.T) {
	t.Parallel()
	d := demand{}
	now := 1e9
	d.begin(now)
	tick := func() {
		now++
		d.note(&arrivals{counted: now, seconds: 1, photos: 20, believed: 0.1, target: 10, fast: 10})
	}
	for range 60 {
		tick()
	}
	now += 300
	d.begin(now)
	tick()
	tick()
	if got := d.perSecond(2); math.Abs(got-20) > 0.01 {
		t.Errorf("%.2f photos a second in the two seconds after a pause, there were 20", got)
	}
}
