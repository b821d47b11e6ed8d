package decide_test

import (
	"slices"
	"testing"
	"time"

	"maskfleet/scaler/decide"
)

// world is a fleet that does what it is told, and photos that it serves at once as far
// as its slots reach.
type world struct {
	t        *testing.T
	policy   decide.Policy
	history  decide.History
	at       time.Time
	boot     time.Duration
	service  float64
	every    time.Duration // between ticks
	perTick  float64       // photos, of a tick of a second
	accepted float64
	finished float64
	worked   float64
	waiting  float64
	ready    int
	starting []time.Duration
	// spoil changes what is seen, not what is.
	spoil func(*decide.Observation)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return &world{
		t: t, policy: decide.DefaultPolicy(), at: time.Date(2026, time.March, 2, 9, 0, 0, 0, time.UTC),
		boot: time.Minute, service: 0.12, every: time.Second, ready: 1,
	}
}

// see is the observation of this moment.
func (w *world) see() decide.Observation {
	known := func(value float64) decide.Reading { return decide.Reading{Value: value, Known: true} }
	slots := float64(w.ready * w.policy.SlotsPerInstance)
	o := decide.Observation{
		At: w.at, Accepted: known(w.accepted), Finished: known(w.finished), Worked: known(w.worked),
		Waiting: known(w.waiting), InFlight: known(min(slots, w.perTick*w.service)),
		CPU: known(min(1, w.perTick*w.service/max(1, slots))), Leader: "n1", Boot: w.boot,
		Fleet: decide.Fleet{Known: true, Ready: w.ready, Reporting: w.ready, Starting: slices.Clone(w.starting)},
	}
	if w.spoil != nil {
		w.spoil(&o)
	}
	return o
}

// tick lets a second pass, or whatever every says, and does what is decided.
func (w *world) tick() decide.Decision {
	w.t.Helper()
	w.at = w.at.Add(w.every)
	came := w.perTick * w.every.Seconds()
	w.accepted += came
	w.waiting += came
	done := min(w.waiting, float64(w.ready*w.policy.SlotsPerInstance)*w.every.Seconds()/w.service)
	w.waiting -= done
	w.finished += done
	w.worked += done * w.service
	for i := range w.starting {
		w.starting[i] += w.every
	}
	for len(w.starting) > 0 && w.starting[0] >= w.boot {
		w.starting = w.starting[1:]
		w.ready++
	}
	d := w.history.Advance(w.see(), w.policy)
	w.obey(d)
	return d
}

func (w *world) obey(d decide.Decision) {
	if len(d.Blind) > 0 && d.Target == d.Size {
		return
	}
	size := w.ready + len(w.starting)
	for ; size < d.Target; size++ {
		w.starting = append(w.starting, 0)
	}
	for ; size > d.Target; size-- {
		if n := len(w.starting); n > 0 {
			w.starting = w.starting[:n-1]
		} else {
			w.ready--
		}
	}
}

// run lets so many ticks pass.
func (w *world) run(ticks int) decide.Decision {
	w.t.Helper()
	var d decide.Decision
	for range ticks {
		d = w.tick()
	}
	return d
}

// slots makes the load keep so many slots busy.
func (w *world) slots(load float64) { w.perTick = load / w.service }

func (w *world) size() int { return w.ready + len(w.starting) }
