package estimate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

func TestCapacity(t *testing.T) {
	t.Parallel()
	type lanes = map[job.Lane]jobstore.Service
	for name, c := range map[string]struct {
		slots  int
		served lanes
		want   float64
		took   time.Duration
	}{
		"nothing known":       {4, nil, 8, usualService},
		"no worker":           {0, lanes{job.LaneBatch: {Photos: 600, Took: time.Second}}, 0, time.Second},
		"idle for the most":   {2, lanes{job.LaneInteractive: {Photos: 1, Took: 200 * time.Millisecond}}, 10, 200 * time.Millisecond},
		"both lanes":          {4, lanes{job.LaneInteractive: {Photos: 60, Took: time.Second}, job.LaneBatch: {Photos: 180, Took: time.Second}}, 4, time.Second},
		"more than the slots": {1, lanes{job.LaneBatch: {Photos: 1200, Took: time.Second}}, 20, time.Second},
	} {
		got, took := capacityOf(c.slots, c.served)
		if got != c.want || took != c.took {
			t.Errorf("%s: got %v a second, each %v; want %v and %v", name, got, took, c.want, c.took)
		}
	}
}

func TestEstimateOfAPhoto(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	busy := load{capacity: 10, took: time.Second, slots: 10, line: jobstore.Line{
		{Photos: 51, First: at, Last: at.Add(500 * time.Millisecond)}, // a burst, and one later
		{Photos: 50, First: at.Add(9 * time.Second), Last: at.Add(9*time.Second + 490*time.Millisecond)},
	}}
	shared := busy
	shared.batches = []jobstore.ActiveBatch{{Remaining: 1000}}
	for name, c := range map[string]struct {
		load  load
		due   time.Time
		since time.Duration
		want  time.Duration
	}{
		"idle":                    {load{capacity: 10, took: time.Second}, time.Time{}, 0, time.Second},
		"just come":               {busy, time.Time{}, 0, 11100 * time.Millisecond},
		"the last":                {busy, at.Add(9*time.Second + 490*time.Millisecond), 0, 11 * time.Second},
		"last of the first":       {busy, at.Add(500 * time.Millisecond), 0, 6 * time.Second},
		"between the bursts":      {busy, at.Add(5 * time.Second), 0, 6100 * time.Millisecond},
		"within the first":        {busy, at.Add(250 * time.Millisecond), 0, 3500 * time.Millisecond},
		"the first in line":       {busy, at, 0, time.Second},
		"three seconds later":     {busy, time.Time{}, 3 * time.Second, 8100 * time.Millisecond},
		"when all should be done": {busy, time.Time{}, time.Minute, time.Second},
		"beside a batch":          {shared, time.Time{}, 0, 13100 * time.Millisecond},
	} {
		if got := c.load.photo(c.load.ahead(c.due, c.since)); got.Truncate(time.Second/10) != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestEstimateOfItems(t *testing.T) {
	t.Parallel()
	ann, bob := job.ID{1}, job.ID{2}
	first := jobstore.ActiveBatch{ID: job.ID{11}, OwnerID: ann, Remaining: 100}
	second := jobstore.ActiveBatch{ID: job.ID{12}, OwnerID: ann, Remaining: 50}
	small := jobstore.ActiveBatch{ID: job.ID{13}, OwnerID: bob, Remaining: 10}
	l := load{capacity: 10, batches: []jobstore.ActiveBatch{first, second, small}}
	crowded := l
	crowded.personal = 10
	for name, c := range map[string]struct {
		load  load
		batch jobstore.ActiveBatch
		n     int
		want  time.Duration
	}{
		"the first batch":     {l, first, 100, 11 * time.Second},
		"its first item":      {l, first, 1, 200 * time.Millisecond},
		"behind an older one": {l, second, 50, 16 * time.Second},
		"a small one's turns": {l, small, 10, 2 * time.Second},
		"beside busy people":  {crowded, small, 10, 12 * time.Second},
	} {
		if got := c.load.items(c.batch, c.n); got.Round(time.Second/10) != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestOutlook(t *testing.T) {
	t.Parallel()
	ann, bob := job.ID{1}, job.ID{2}
	l := load{capacity: 10, took: time.Second, slots: 10, line: jobstore.Line{{Photos: 20}}, batches: []jobstore.ActiveBatch{
		{ID: job.ID{11}, OwnerID: ann, Remaining: 300}, {ID: job.ID{12}, OwnerID: ann, Remaining: 100}, {ID: job.ID{13}, OwnerID: bob, Remaining: 9},
	}}
	for name, c := range map[string]struct {
		load load
		want Outlook
	}{
		"idle":          {load{capacity: 10, took: time.Second, slots: 10}, Outlook{Worker: true, Photo: time.Second, Item: 1100 * time.Millisecond, Longest: 1100 * time.Millisecond}},
		"no worker":     {load{line: l.line}, Outlook{}},
		"photos wait":   {load{capacity: 10, took: time.Second, slots: 10, line: l.line}, Outlook{Worker: true, Photo: 3100 * time.Millisecond, Item: 1100 * time.Millisecond, Longest: 1100 * time.Millisecond, All: 3 * time.Second}},
		"batches go on": {l, Outlook{Worker: true, Photo: 3500 * time.Millisecond, Item: 1300 * time.Millisecond, Longest: 42 * time.Second, All: 43900 * time.Millisecond}},
	} {
		got := c.load.outlook(0)
		for _, d := range []*time.Duration{&got.Photo, &got.Item, &got.Longest, &got.All} {
			*d = d.Round(time.Second / 10)
		}
		if got != c.want {
			t.Errorf("%s: got %+v, want %+v", name, got, c.want)
		}
	}
}

// waiting adds a photo to the end of a line.
func waiting(l jobstore.Line, due time.Time) jobstore.Line {
	if n := len(l) - 1; n >= 0 && l[n].First.Unix() == due.Unix() {
		l[n].Photos++
		l[n].Last = due
		return l
	}
	return append(l, jobstore.Arrivals{Photos: 1, First: due, Last: due})
}

// TestEstimatesUnderSteadyLoad plays queues of several lengths and speeds, and holds
// what was estimated at each photo's arrival and on its way against what came.
func TestEstimatesUnderSteadyLoad(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 4, 16} {
		for _, overload := range []float64{0.5, 0.95, 1.2, 2} {
			service := func() time.Duration { return time.Duration(200+rand.IntN(200)) * time.Millisecond }
			arrival := time.Duration(float64(300*time.Millisecond) / float64(slots) / overload)
			bad, asked := 0, 0
			free := make([]time.Duration, slots) // when each slot is free
			var began, ended, came []time.Duration
			for now := time.Duration(0); now < time.Minute; now += arrival {
				slices.Sort(free)
				start := max(now, free[0])
				free[0] = start + service()
				came, began, ended = append(came, now), append(began, start), append(ended, free[0])
			}
			last := came[len(came)-1]
			for i := len(came) / 20; i < len(came); i += 3 {
				for _, age := range []time.Duration{0, (began[i] - came[i]) / 2} {
					now := came[i] + age
					if now > last { // the load is steady no more
						continue
					}
					l := load{capacity: float64(slots) / 0.3, took: 300 * time.Millisecond, slots: slots}
					for k := range came {
						if came[k] <= now && began[k] > now {
							l.line = waiting(l.line, time.Unix(0, int64(came[k])))
						}
					}
					asked++
					got, want := l.photo(l.ahead(time.Unix(0, int64(came[i])), 0)).Seconds(), (ended[i] - now).Seconds()
					if got > 2*want || got < want/2 {
						bad++
					}
				}
			}
			if bad*20 > asked {
				t.Errorf("%d slots at %v times their speed: %d of %d estimates were wrong by more than a factor of two", slots, overload, bad, asked)
			}
		}
	}
}
