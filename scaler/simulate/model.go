package simulate

import (
	"math"
	"slices"
)

// Plant is the fleet that the rules size.
type Plant struct {
	BootSeconds      float64   // from launch to the first photo; what the rules are told
	BootJitter       float64   // each boot takes up to so much more or less
	Boots            []float64 // boots that were measured, taken in turns instead
	Min, Max         int       // instances
	SlotsPerInstance int
	TargetWait       float64 // seconds; who waits longer is late
	Seed             uint32  // of the boots
}

// Rule decides about a fleet.
type Rule interface {
	// Every is after how many seconds it is asked again.
	Every() int
	// Size is how many instances it wants, ready or starting; the model holds it to
	// the plant's limits.
	Size(v *View) int
}

// View is what a rule can see: the present, and each second so far.
type View struct {
	Second   int
	Ready    int       // instances
	Starting []float64 // seconds that each of the others has been starting
	Waiting  int
	InFlight int

	Finished   int       // photos so far
	Busy       []float64 // share of ready slots that worked, 0 to 1
	BusySlots  float64   // slot-seconds worked so far
	WaitingLog []int
	FlightLog  []int
	ReadyLog   []int // instances
}

// Size is how many instances there are, ready or starting.
func (v *View) Size() int { return v.Ready + len(v.Starting) }

// Outcome is what came of a rule.
type Outcome struct {
	Photos   int
	Late     int
	Waits    []float64 // of each photo, in order of arrival
	Cost     float64   // instance-seconds
	Actions  int
	Launches int
	Peak     int
	// Of each second: instances, those of them that were ready, photos that waited.
	Fleet, Ready, Waiting []int
	Load                  []float64 // slots that what came in the second keeps busy

	arrived []float64
}

// patience is how long after the trace's end the model waits for the queue to empty.
const patience = 7200

// model is one run.
type model struct {
	photos  Photos
	plant   Plant
	fleet   *fleet
	view    View
	outcome Outcome
	next    int // photo to be served
	seen    int // photos arrived
	load    []float64
}

// Play lets the rule size a fleet that begins with so many instances.
func Play(photos Photos, plant Plant, initial int, rule Rule) Outcome {
	m := &model{photos: photos, plant: plant, fleet: newFleet(plant, initial)}
	m.outcome = Outcome{Photos: len(photos.Arrive), Waits: make([]float64, len(photos.Arrive)), Peak: initial}
	second := 0
	for second < photos.Seconds || (m.next < len(photos.Arrive) && second < photos.Seconds+patience) {
		m.serve(float64(second))
		second++
		m.observe(second)
		if second%rule.Every() == 0 {
			m.resize(rule.Size(&m.view))
		}
	}
	m.fleet.payAll(float64(max(second, photos.Seconds)))
	for ; m.next < len(photos.Arrive); m.next++ {
		m.outcome.Waits[m.next] = float64(second) - photos.Arrive[m.next]
		m.outcome.Late++
	}
	m.outcome.Cost = m.fleet.billed
	m.outcome.Ready, m.outcome.Waiting = m.view.ReadyLog, m.view.WaitingLog
	m.outcome.Load, m.outcome.arrived = m.load, photos.Arrive
	return m.outcome
}

// serve lets the slots work for a second, first come first served.
func (m *model) serve(from float64) {
	until := from + 1
	busy := 0.0
	f := m.fleet
	for _, s := range f.slots {
		if s.free > from && s.instance.ready <= from {
			busy += min(s.free, until) - from
		}
	}
	arrive, service := m.photos.Arrive, m.photos.Service
	for m.next < len(arrive) && len(f.slots) > 0 {
		came := arrive[m.next]
		start := max(f.slots[0].free, came)
		if start >= until {
			break
		}
		takes := service[m.next]
		end := start + takes
		f.slots[0].free = end
		f.down(0)
		if wait := start - came; wait > 0 {
			m.outcome.Waits[m.next] = wait
			if wait > m.plant.TargetWait {
				m.outcome.Late++
			}
		}
		if end <= until {
			busy += takes
		} else {
			busy += until - start
		}
		m.next++
	}
	m.view.Busy = append(m.view.Busy, busy)
}

func (m *model) observe(second int) {
	now := float64(second)
	v := &m.view
	load := 0.0
	for m.seen < len(m.photos.Arrive) && m.photos.Arrive[m.seen] < now {
		load += m.photos.Service[m.seen]
		m.seen++
	}
	m.load = append(m.load, load)
	v.Second, v.Waiting, v.InFlight = second, m.seen-m.next, 0
	v.Starting = v.Starting[:0]
	readySlots := 0
	for _, s := range m.fleet.slots {
		switch {
		case s.instance.ready > now:
			if s.number%m.plant.SlotsPerInstance == 0 {
				v.Starting = append(v.Starting, now-s.instance.launched)
			}
		default:
			readySlots++
			if s.free > now {
				v.InFlight++
			}
		}
	}
	v.Ready = readySlots / m.plant.SlotsPerInstance
	v.Finished = m.next - v.InFlight
	last := len(v.Busy) - 1
	worked := math.Min(v.Busy[last], float64(readySlots))
	v.BusySlots += worked
	v.Busy[last] = worked / math.Max(1, float64(readySlots))
	v.WaitingLog = append(v.WaitingLog, v.Waiting)
	v.FlightLog = append(v.FlightLog, v.InFlight)
	v.ReadyLog = append(v.ReadyLog, v.Ready)
	m.outcome.Fleet = append(m.outcome.Fleet, v.Size())
}

func (m *model) resize(wanted int) {
	wanted = max(m.plant.Min, min(m.plant.Max, wanted))
	now := float64(m.view.Second)
	switch size := m.view.Size(); {
	case wanted > size:
		m.outcome.Actions++
		m.outcome.Launches += wanted - size
		m.outcome.Peak = max(m.outcome.Peak, wanted)
		m.fleet.launch(now, wanted-size)
	case wanted < size:
		m.outcome.Actions++
		m.fleet.retire(now, size-wanted)
	}
}

// LateShare is from 0 to 1.
func (r Outcome) LateShare() float64 { return float64(r.Late) / math.Max(1, float64(r.Photos)) }

// CostHours is in instance-hours.
func (r Outcome) CostHours() float64 { return r.Cost / 3600 }

// WaitQuantiles gives the waits that these shares of the photos do not exceed.
func (r Outcome) WaitQuantiles(shares ...float64) []float64 {
	sorted := slices.Clone(r.Waits)
	slices.Sort(sorted)
	all := make([]float64, len(shares))
	for i, share := range shares {
		if n := len(sorted); n > 0 {
			all[i] = sorted[min(n-1, int(share*float64(n)))]
		}
	}
	return all
}
