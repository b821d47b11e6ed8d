package manager

import (
	"testing"
	"time"

	"maskfleet/pkg/jobqueue"
)

// TestTrialsEnd: when their photos have, or when their worker is gone for good; not
// before their photos were opened, and not because a worker begins anew.
func TestTrialsEnd(t *testing.T) {
	t.Parallel()
	begun := time.Date(2026, time.May, 4, 9, 0, 0, 0, time.UTC)
	type look struct {
		after  time.Duration
		opened bool
		alive  bool
		open   int
		ends   bool
	}
	for name, looks := range map[string][]look{
		"photos that are not open yet":              {{0, false, true, 0, false}, {50 * time.Second, false, true, 0, false}, {51 * time.Second, true, true, 1, false}, {52 * time.Second, true, true, 0, true}},
		"photos that end at once":                   {{time.Second, true, true, 0, true}},
		"a manager that died as it opened them":     {{time.Second, false, true, 2, false}, {longCommand, false, true, 2, false}, {2 * longCommand, false, true, 0, true}},
		"a worker that is gone":                     {{20 * time.Second, true, true, 2, false}, {30 * time.Second, true, false, 2, false}, {80 * time.Second, true, false, 2, false}, {90 * time.Second, true, false, 2, true}},
		"a worker that began anew":                  {{20 * time.Second, true, false, 2, false}, {70 * time.Second, true, true, 2, false}, {81 * time.Second, true, false, 2, false}, {140 * time.Second, true, false, 2, false}},
		"a worker that is gone, and so is its work": {{20 * time.Second, true, false, 0, true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var k trialKeeper
			for _, l := range looks {
				why := k.over(begun.Add(l.after), jobqueue.Trial{Worker: "w-1", BegunAt: begun, Opened: l.opened}, trialAnswer{Alive: l.alive, Open: l.open})
				if (why != "") != l.ends {
					t.Errorf("after %s it ends because %q, want %t", l.after, why, l.ends)
				}
			}
		})
	}
}
