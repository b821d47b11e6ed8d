package simulate_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"maskfleet/scaler/simulate"
)

// poissonPhotos come at random, at so many a second.
func poissonPhotos(perSecond float64, seconds int) simulate.Photos {
	random := rand.New(rand.NewPCG(1, 2))
	sigma := math.Sqrt(math.Log(1.25))
	p := simulate.Photos{Name: "poisson", Seconds: seconds, Mean: 0.12}
	for at := random.ExpFloat64() / perSecond; at < float64(seconds); at += random.ExpFloat64() / perSecond {
		p.Arrive = append(p.Arrive, at)
		p.Service = append(p.Service, 0.12*math.Exp(sigma*random.NormFloat64()-sigma*sigma/2))
	}
	return p
}

func plant() simulate.Plant {
	return simulate.Plant{BootSeconds: 60, Min: 1, Max: 8, SlotsPerInstance: 1, TargetWait: 10}
}

func meanWait(o simulate.Outcome) float64 {
	sum := 0.0
	for _, wait := range o.Waits {
		sum += wait
	}
	return sum / float64(len(o.Waits))
}

// TestQueueAgreesWithTheory: with a pool that stays as it is, the model is the M/G/c
// queue, whose mean wait is known: Pollaczek and Khinchine's for one slot, Allen and
// Cunneen's for eight. The seed is fixed, so the tolerance covers the draw, not luck.
func TestQueueAgreesWithTheory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		slots int
		want  float64
	}{{1, 0.3001}, {8, 0.0215}} {
		photos := poissonPhotos(0.8*float64(c.slots)/0.12, 40_000/c.slots)
		p := plant()
		p.Min = c.slots
		got := meanWait(simulate.Play(photos, p, c.slots, simulate.Fixed(c.slots)))
		if math.Abs(got-c.want) > 0.12*c.want {
			t.Errorf("%d slots: a mean wait of %.4f s, theory says %.4f", c.slots, got, c.want)
		}
	}
}

// script wants given sizes from given seconds on.
type script map[int]int

func (script) Every() int { return 1 }

func (s script) Size(v *simulate.View) int {
	if size, found := s[v.Second]; found {
		return size
	}
	return v.Size()
}

// TestBill: from launch to the end of work, a minute at least, also for a boot that is
// called off.
func TestBill(t *testing.T) {
	t.Parallel()
	photos := poissonPhotos(1, 600)
	for _, c := range []struct {
		name   string
		script script
		cost   float64
	}{
		{"one stays", script{}, 600},
		{"another for 300 s", script{100: 2, 400: 1}, 900},
		{"a boot called off after 10 s is paid for a minute", script{100: 2, 110: 1}, 660},
		{"two more until the end", script{100: 3}, 600 + 2*500},
		{"more than there may be", script{100: 50}, 600 + 7*500},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := simulate.Play(photos, plant(), 1, c.script)
			if math.Abs(o.Cost-c.cost) > 1 { // who leaves finishes its photo
				t.Errorf("cost %.1f instance-seconds, want %.1f", o.Cost, c.cost)
			}
			if o.Photos != len(o.Waits) || o.Late != 0 {
				t.Errorf("%d photos, %d waits, %d late", o.Photos, len(o.Waits), o.Late)
			}
		})
	}
}

// TestBootTakesItsTime: what is ordered helps after the boot, not before.
func TestBootTakesItsTime(t *testing.T) {
	t.Parallel()
	o := simulate.Play(poissonPhotos(1, 300), plant(), 1, script{100: 4})
	for second, ready := range o.Ready {
		want := 1
		if second+1 >= 160 {
			want = 4
		}
		if ready != want {
			t.Fatalf("%d instances are ready after %d s, want %d", ready, second+1, want)
		}
	}
}

// TestSlotsOfAnInstance: an instance of four slots serves as four instances of one.
func TestSlotsOfAnInstance(t *testing.T) {
	t.Parallel()
	photos := poissonPhotos(25, 2000)
	p := plant()
	p.SlotsPerInstance = 4
	one := simulate.Play(photos, p, 1, simulate.Fixed(1))
	four := simulate.Play(photos, plant(), 4, simulate.Fixed(4))
	if math.Abs(meanWait(one)-meanWait(four)) > 1e-9 {
		t.Errorf("mean waits of %g and %g s", meanWait(one), meanWait(four))
	}
	if math.Abs(one.Cost*4-four.Cost) > 1e-6 {
		t.Errorf("costs of %g and %g", one.Cost, four.Cost)
	}
}

// TestWorkThatIsNeverDoneIsLate: the queue is given two hours after the end.
func TestWorkThatIsNeverDoneIsLate(t *testing.T) {
	t.Parallel()
	photos := poissonPhotos(60, 4000)
	p := plant()
	p.Max = 1
	if o := simulate.Play(photos, p, 1, simulate.Fixed(1)); o.LateShare() < 0.95 || o.WaitQuantiles(1)[0] < 7000 {
		t.Errorf("%.2f late, the longest wait %.0f s", o.LateShare(), o.WaitQuantiles(1)[0])
	}
}

// watch notes how long instances have been starting.
type watch struct {
	script
	at   int
	seen []float64
}

func (w *watch) Size(v *simulate.View) int {
	if v.Second == w.at {
		w.seen = append(w.seen, v.Starting...)
	}
	return w.script.Size(v)
}

// TestNobodyKnowsHowLongABootWillTake: what is seen of it is how long it has taken.
func TestNobodyKnowsHowLongABootWillTake(t *testing.T) {
	t.Parallel()
	p := plant()
	p.Boots = []float64{70, 300, 90}
	w := &watch{script: script{100: 4}, at: 150}
	simulate.Play(poissonPhotos(1, 200), p, 1, w)
	if !slices.Equal(w.seen, []float64{50, 50, 50}) {
		t.Errorf("starting since %v s", w.seen)
	}
}
