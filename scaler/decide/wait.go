package decide

import (
	"fmt"
	"math"
	"slices"
)

// waitMemory is what target-wait knows.
type waitMemory struct {
	Began    float64   `json:"began"`  // seconds
	Tuning   string    `json:"tuning"` // whose settings the parade has
	Demand   demand    `json:"demand"`
	Busiest  float64   `json:"busiest"` // load while it was a newcomer
	Calendar calendar  `json:"calendar"`
	Parade   parade    `json:"parade"`
	Size     float64   `json:"size"`            // that was decided last, in slots, before pins and freezes
	Recent   highest   `json:"recent"`          // wants of the real fleet
	Rates    []highest `json:"rates,omitempty"` // what the load needed, for each headroom of the tuning
	Hold     hold      `json:"hold,omitzero"`
}

// news is what a tick adds to the counters.
type news struct {
	now, seconds         float64
	counted              float64 // when the photos were
	photos, worked, done float64
}

// targetWait takes a tick in and gives the wants of those sizes that keep the wait
// below the target at least cost, the one that decides first.
func (w *waitMemory) targetWait(o Observation, p Policy, b bounds, n news, in *Inputs) []Want {
	m := w.moment(o, p, b, n)
	t := &p.tuning
	w.Calendar.note(m.now, math.Max(m.staff(m.level), math.Ceil(m.level/t.headroom-1e-9)))
	ready := float64(o.Fleet.Ready * p.SlotsPerInstance)
	if t.periods {
		m.period = w.Calendar.live(m, t, ready)
	} else {
		m.hour = w.Calendar.foresee(period{minutes: hourMinutes, visits: 3}, m.now+m.horizon, jump{}, 0)
	}
	if w.Tuning != t.name || len(w.Parade.Shadows) != len(t.settings) {
		w.Tuning = t.name
		w.Parade.begin(m, t, ready)
	}
	w.noteRates(m, t)
	w.Parade.live(m, t)
	best := t.settings[w.Parade.Best]
	f := state{backlog: (o.Waiting.Value + 0.5*o.InFlight.Value) * m.service, ready: ready}
	for _, age := range o.Fleet.awaited(m.boot) {
		eta := math.Max(0, m.boot-age.Seconds())
		f.soon += math.Max(0, m.horizon-eta) * m.step
	}
	parts := m.wants(best, 0, f)
	// Who begins to hold for longer keeps what there is, and launches nothing for it.
	w.Size = m.size(best, parts.greatest(), math.Min(m.need(w.Parade.Best), w.Size), &w.Recent)
	w.describe(in, m, t, best)
	return w.explain(m, o, parts, best, w.Size, t)
}

// noteRates notes what the load needs at this moment, and looks up what each setting
// holds of what it needed before.
func (w *waitMemory) noteRates(m *moment, t *tuning) {
	if !t.rateHeld {
		return
	}
	if len(w.Rates) != len(t.headrooms) {
		w.Rates = make([]highest, len(t.headrooms))
	}
	for i, headroom := range t.headrooms {
		w.Rates[i].push(m.now, math.Min(m.whole(m.rate(headroom)), m.most), slices.Max(t.holds)*m.launch())
	}
	m.needs = make([]float64, len(t.settings))
	for i, s := range t.settings {
		m.needs[i] = w.longHeld(s, t).since(m.now - s.hold*m.launch()).Value
	}
}

// longHeld is what a setting holds for the whole of its time, not for one launch.
func (w *waitMemory) longHeld(s setting, t *tuning) *highest {
	if !t.rateHeld {
		return &w.Recent
	}
	return &w.Rates[slices.Index(t.headrooms, s.headroom)]
}

// moment puts together what is the same for the real fleet and all shadows.
func (w *waitMemory) moment(o Observation, p Policy, b bounds, n news) *moment {
	t := &p.tuning
	a := arrivals{
		counted: n.counted, seconds: n.seconds, photos: n.photos, worked: n.worked, done: n.done,
		believed: p.Wait.ServiceSeconds, target: p.Wait.TargetSeconds, fast: t.fastSeconds,
	}
	if w.Began == 0 {
		w.Began = n.now
	}
	w.Demand.note(&a)
	boot := p.bootSeconds(o)
	m := &moment{
		now: n.now, seconds: n.seconds, boot: boot, horizon: boot + n.seconds,
		target: p.Wait.TargetSeconds, service: a.service, load: a.slots,
		least: float64(b.min * p.SlotsPerInstance), most: float64(b.max * p.SlotsPerInstance), step: float64(p.SlotsPerInstance),
		lean: t.lean, latePrice: p.Wait.LatePrice * a.service,
		fade: math.Pow(0.5, n.seconds/t.halfLife),
	}
	m.launchCost = math.Max(t.launchFee*m.launch(), t.launchPrice-boot)
	m.level = w.Demand.level(a.service)
	m.rising, m.jump = t.jump.is(m.level, w.Demand.Slow), m.level
	if t.likely && m.rising {
		m.jump = w.Demand.likely(t.jump, m.level, a.service)
	}
	m.fresh = w.Demand.perSecond(m.target) * m.target * a.service
	m.staffed = m.staff(m.level)
	if n.now-w.Began < t.newcomer.seconds {
		w.Busiest = math.Max(w.Busiest, w.Demand.Slow)
		load := t.newcomer.factor * w.Busiest
		m.newcomer = math.Max(m.staff(load), math.Ceil(load/t.headroom-1e-9))
		m.newcomer = math.Min(m.newcomer, math.Ceil(m.most*t.newcomer.share*m.survivors()))
	}
	return m
}

// staff is what queueing theory says that a load needs. The load is rounded up a
// little, so that noise in it does not move the answer.
func (m *moment) staff(load float64) float64 {
	const grain = 50
	rounded := math.Floor(load*grain+1) / grain
	return float64(staff(rounded, m.service, m.target, tardyShare, int(m.most)))
}

func (w *waitMemory) describe(in *Inputs, m *moment, t *tuning, best setting) {
	rate := m.load / m.service
	service, level := m.service, m.level
	in.ArrivalsPerSecond, in.ServiceSeconds, in.LoadSlots = &rate, &service, &level
	in.Setting = fmt.Sprintf("slots busy up to %.0f %%, what the load needed is held for %.0f s, reserve of %.0f slots",
		100*best.headroom, best.hold*m.launch(), m.standing(best))
	if t.periods && best.clock == clockPeriod {
		in.PeriodMinutes = t.periodic[w.Calendar.Best].minutes
	}
}
