package scaler

import (
	"math"
	"time"

	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
	"maskfleet/scaler/simulate"
)

const (
	replayBin = 5 * time.Second // the fleet's readings come as often
	// silence is how long no reading may come before it is said that some are missing.
	silence = time.Minute
)

// tape is what the fleet's readings tell of a time.
type tape struct {
	simulate.Recording
	to      time.Time
	photos  int
	cost    time.Duration // of all instances together
	began   int           // launches that can be seen: more may have hidden behind ends
	peak    int
	course  simulate.Course
	missing time.Duration // without readings
	waits   jobstore.Waits
}

// record reads the tape off, from the first reading to the last. Instances that were
// there at a reading were there until the next.
func record(readings []jobqueue.FleetReading) tape {
	if len(readings) < 2 {
		return tape{}
	}
	first, last := readings[0], readings[len(readings)-1]
	t := tape{Recording: simulate.Recording{From: first.At, BinSeconds: int(replayBin.Seconds()), Instances: first.Ready + first.Starting}, to: last.At}
	spread := newSpread(first.At, last.At)
	t.course = simulate.NewCourse(int(last.At.Sub(first.At).Seconds()) + 1)
	step := min(replayBin, time.Duration(t.course.StepSeconds)*time.Second)
	for i, r := range readings[1:] {
		before := readings[i]
		gap := r.At.Sub(before.At)
		spread.add(before.At, r.At, acceptedBetween(before, r))
		t.cost += time.Duration(there(before)) * gap
		t.began += max(0, there(r)-there(before))
		t.peak = max(t.peak, there(before), there(r))
		for at := before.At; at.Before(r.At); at = at.Add(step) { // what was there was there until the next reading
			t.course.Note(int(at.Sub(first.At).Seconds()), there(before), before.Waiting)
		}
		if gap > silence {
			t.missing += gap
		}
	}
	t.course.Note(int(last.At.Sub(first.At).Seconds()), there(last), last.Waiting)
	t.Accepted, t.photos = spread.whole()
	t.Boots = bootsOf(readings)
	return t
}

func there(r jobqueue.FleetReading) int { return r.Ready + r.Starting + r.Draining }

// acceptedBetween is the rise of the counter. Each scaler counts from its own begin: of
// one that ran before it took over nobody knows how much of its count is news.
func acceptedBetween(before, r jobqueue.FleetReading) float64 {
	switch {
	case r.StartedAt.Equal(before.StartedAt):
		return max(0, r.Accepted-before.Accepted)
	case !r.StartedAt.Before(before.At):
		return r.Accepted
	default:
		return 0
	}
}

// bootsOf are the boots that were measured, as far as the readings tell them apart.
func bootsOf(readings []jobqueue.FleetReading) (boots []time.Duration) {
	last := 0.0
	for _, r := range readings {
		if r.Boot > 0 && r.Boot != last {
			boots = append(boots, time.Duration(r.Boot*float64(time.Second)))
		}
		last = r.Boot
	}
	return boots
}

// spread lays photos into bins, those of a gap evenly over it.
type spread struct {
	from time.Time
	bins []float64
}

func newSpread(from, to time.Time) *spread {
	return &spread{from, make([]float64, max(1, int(math.Ceil(float64(to.Sub(from))/float64(replayBin)))))}
}

func (s *spread) add(from, to time.Time, photos float64) {
	begin, end := float64(from.Sub(s.from))/float64(replayBin), float64(to.Sub(s.from))/float64(replayBin)
	last := len(s.bins) - 1
	if photos <= 0 {
		return
	}
	if end <= begin { // at the same moment, or out of order
		s.bins[max(0, min(last, int(begin)))] += photos
		return
	}
	for bin := max(0, int(begin)); bin <= min(last, int(end)); bin++ {
		inside := min(end, float64(bin+1)) - max(begin, float64(bin))
		s.bins[bin] += photos * max(0, inside) / (end - begin)
	}
}

// whole gives whole photos, none of them lost to rounding.
func (s *spread) whole() (bins []int, total int) {
	bins = make([]int, len(s.bins))
	sum := 0.0
	for i, photos := range s.bins {
		sum += photos
		reached := int(math.Round(sum))
		bins[i], total = reached-total, reached
	}
	return bins, total
}
