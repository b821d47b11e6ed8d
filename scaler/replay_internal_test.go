package scaler

import (
	"slices"
	"testing"
	"time"

	"maskfleet/pkg/jobqueue"
)

// reading is one of the scaler that began at the second, told at another.
func reading(began, at int, accepted float64, ready, starting, draining int) jobqueue.FleetReading {
	moment := func(second int) time.Time { return time.Unix(1_800_000_000+int64(second), 0) }
	return jobqueue.FleetReading{
		StartedAt: moment(began), Accepted: accepted, Ready: ready, Starting: starting, Draining: draining,
		Heard: jobqueue.Heard{At: moment(at)},
	}
}

// TestTape: photos are where they came, also over gaps, a new scaler and one that had
// counted before it took over; instances cost while they are there.
func TestTape(t *testing.T) {
	t.Parallel()
	got := record([]jobqueue.FleetReading{
		reading(-50, 0, 100, 2, 0, 0),
		reading(-50, 5, 107, 2, 1, 0), // 7 more, and one launched
		reading(-50, 10, 107, 3, 0, 0),
		reading(-50, 100, 125, 2, 0, 1), // 18 within 90 s, nobody knows when
		reading(101, 105, 4, 2, 0, 0),   // another scaler, which has seen 4
		reading(-20, 110, 900, 2, 0, 0), // one that stood by: its count says nothing yet
		reading(-20, 115, 903, 4, 0, 0),
	})
	want := slices.Concat([]int{7, 0}, slices.Repeat([]int{1}, 18), []int{4, 0, 3})
	if !slices.Equal(got.Accepted, want) || got.photos != 32 || got.BinSeconds != 5 || got.Instances != 2 {
		t.Errorf("accepted %v (%d), want %v", got.Accepted, got.photos, want)
	}
	if cost := 2*5 + 3*5 + 3*90 + 3*5 + 2*5 + 2*5; got.cost != time.Duration(cost)*time.Second {
		t.Errorf("it cost %s, want %d s", got.cost, cost)
	}
	if least := slices.Min(got.course.Instances); least != 2 || len(got.course.Instances) != 116 {
		t.Errorf("the course of %d seconds falls to %d, want 2 at least: two were there throughout", len(got.course.Instances), least)
	}
	if got.began != 3 || got.peak != 4 || got.missing != 90*time.Second {
		t.Errorf("%d launches, at most %d, %s missing", got.began, got.peak, got.missing)
	}
	for _, few := range [][]jobqueue.FleetReading{nil, {reading(0, 5, 9, 1, 0, 0)}} {
		if got := record(few); len(got.Accepted) != 0 {
			t.Errorf("of %d readings: %+v", len(few), got)
		}
	}
}

// TestTapeRoundsNothingAway: fractions of photos are whole ones in the end.
func TestTapeRoundsNothingAway(t *testing.T) {
	t.Parallel()
	readings := []jobqueue.FleetReading{reading(0, 0, 0, 1, 0, 0)}
	for second := 7; second < 700; second += 7 {
		readings = append(readings, reading(0, second, float64(second), 1, 0, 0))
	}
	got := record(readings)
	sum := 0
	for bin, n := range got.Accepted {
		if whole := bin < len(got.Accepted)-1; n > 6 || whole && n < 4 {
			t.Errorf("a bin of a steady load has %d", n)
		}
		sum += n
	}
	if sum != 693 || got.photos != 693 {
		t.Errorf("%d photos (%d), want 693", sum, got.photos)
	}
}
