package stack

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPauseDoublesUntilAPartLivesWell(t *testing.T) {
	t.Parallel()
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	known := &life{since: start}
	var got []time.Duration
	for range 7 {
		got = append(got, known.nextPause(start.Add(time.Second)))
	}
	got = append(got, known.nextPause(start.Add(livedWell+time.Second)))
	want := []time.Duration{
		time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second,
		30 * time.Second, 30 * time.Second, time.Second,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
}
