package decide

import (
	"fmt"
	"time"
)

const (
	staleTicks     = 3.0   // a reading older than so many ticks is stale,
	staleSeconds   = 6.0   // but none younger than this
	staleList      = 30.0  // the list of instances comes more seldom
	staleCPU       = 300.0 // the CPU is a mean of two minutes, and comes late
	gapTicks       = 10.0  // a pause of so many ticks is a new beginning,
	gapSeconds     = 30.0  // but none shorter than this
	unbelievable   = 1000.0
	emptyListBoots = 2.0 // an empty list of instances is believed after so many boots
)

// sight is how far the readings can be trusted.
type sight struct {
	blind     []string // keep what there is
	dim       []string // do not shrink
	fleetGone bool     // not even the fleet's size is known
	news      news
}

// stale is how old a reading may be, in seconds.
func (p Policy) stale() float64 { return max(staleTicks*p.TickSeconds, staleSeconds) }

// look judges the readings and notes what it believed.
func (m *memory) look(o Observation, p Policy) sight {
	s := sight{}
	now := unix(o.At)
	boot := p.bootSeconds(o)
	m.lookAtClock(now, p, &s) // first: the others ask how long something has been so
	m.lookAtFleet(o, p, boot, &s)
	m.lookAtReadings(o, p, &s)
	if len(s.blind) == 0 && p.Kind == TargetWait {
		m.lookAtQueue(o, &s)
	}
	if m.Begun && now-m.Since < boot {
		s.dim = append(s.dim, "the scaler has just begun to look")
	}
	if n := o.Fleet; n.Known && n.Reporting < n.Ready {
		s.dim = append(s.dim, fmt.Sprintf("%d of %d ready instances report", n.Reporting, n.Ready))
	}
	if nobodyAsks(o) {
		s.dim = append(s.dim, "photos wait and nobody asks for them")
	}
	s.news = m.believe(o, now, p, &s)
	return s
}

func unix(at time.Time) float64 { return float64(at.UnixNano()) / 1e9 }

func seconds(d time.Duration) string { return fmt.Sprintf("%.0f s", d.Seconds()) }

func (m *memory) lookAtClock(now float64, p Policy, s *sight) {
	gap := max(gapTicks*p.TickSeconds, gapSeconds)
	switch {
	case !m.Begun:
		s.blind = append(s.blind, "these are the first readings")
		m.Since, m.Learned = now, 0
	case now <= m.Last:
		s.blind = append(s.blind, fmt.Sprintf("the clock was put back by %.0f s", m.Last-now))
		m.rebase(now - m.Last)
		m.Since, m.Learned = now, 0
	case now-m.Last > gap:
		s.blind = append(s.blind, fmt.Sprintf("these are the first readings after %.0f s", now-m.Last))
		m.Since, m.Learned, m.EmptySince = now, 0, 0
	case m.Learned != 0 && now-m.Learned > gap:
		m.Learned = 0 // too long ago to make a rate of
	}
	m.Begun, m.Last = true, now
}

func (m *memory) lookAtReadings(o Observation, p Policy, s *sight) {
	stale := p.stale()
	need := func(name string, r Reading, oldest float64) {
		switch {
		case !r.Known:
			s.blind = append(s.blind, name+" is not known")
		case r.Age.Seconds() > oldest:
			s.blind = append(s.blind, fmt.Sprintf("%s is %s old", name, seconds(r.Age)))
		case !usable(r):
			s.blind = append(s.blind, fmt.Sprintf("%s is %g", name, r.Value))
		}
	}
	switch p.Kind {
	case TargetWait:
		need("the count of accepted photos", o.Accepted, stale)
		need("the number of waiting photos", o.Waiting, stale)
		need("the number of photos in flight", o.InFlight, stale)
	case CPURatio:
		need("the workers' CPU", o.CPU, staleCPU)
	case Manual:
	}
}

func (m *memory) lookAtQueue(o Observation, s *sight) {
	if o.Leader != m.Leader {
		if m.Leader != "" {
			s.blind = append(s.blind, fmt.Sprintf("%s answers for the queue, before it was %s", name(o.Leader), m.Leader))
		}
		m.Leader = o.Leader
	}
	if m.Learned != 0 && o.Accepted.Value < m.Accepted {
		s.blind = append(s.blind, "the count of accepted photos began anew")
		m.Learned = 0
	}
	depth := o.Waiting.Value + o.InFlight.Value
	jumped := depth > unbelievable*max(1, m.Depth)
	if m.Learned != 0 {
		expected := m.Wait.Demand.photosPerSecond() * (m.Last - m.Learned)
		jumped = jumped || o.Accepted.Value-m.Accepted > unbelievable*max(1, expected)
	}
	if jumped && !m.Doubted {
		s.blind = append(s.blind, fmt.Sprintf("%.0f photos wait or came in, where %.0f were: one more reading", depth, m.Depth))
		m.Doubted = true
		return
	}
	m.Doubted = false
}

func name(leader string) string {
	if leader == "" {
		return "nobody"
	}
	return leader
}

// photosPerSecond is the rate that the load of late stands for.
func (d *demand) photosPerSecond() float64 {
	if d.Done <= 0 || d.Worked <= 0 {
		return 0
	}
	return d.Fast * d.Done / d.Worked
}

func (m *memory) lookAtFleet(o Observation, p Policy, boot float64, s *sight) {
	f, now := o.Fleet, unix(o.At)
	complain := func(text string) {
		s.blind = append(s.blind, text)
		s.fleetGone = true
	}
	switch stale := max(p.stale(), staleList); {
	case !f.Known || f.Ready < 0:
		complain("the list of instances is not known")
		return
	case f.Age.Seconds() > stale:
		complain(fmt.Sprintf("the list of instances is %s old", seconds(f.Age)))
		return
	case f.Size()+f.Others > 0 || m.Size == 0 || p.wantsNobody(o.At):
		m.EmptySince = 0
	case m.EmptySince == 0:
		m.EmptySince = now
	}
	switch {
	case m.EmptySince != 0 && (f.Reporting > 0 || now-m.EmptySince < emptyListBoots*boot):
		complain(fmt.Sprintf("the list of instances is empty, %d were there", m.Size))
	case f.Size() < f.Reporting && f.Size()*2 < m.Size:
		complain(fmt.Sprintf("the list has %d instances, %d report", f.Size(), f.Reporting))
	default:
		m.Size, m.EmptySince = f.Size(), 0
	}
}

func nobodyAsks(o Observation) bool {
	return o.Asking.Known && o.Asking.Value == 0 && o.InFlight.Known && o.InFlight.Value == 0 &&
		o.Waiting.Known && o.Waiting.Value > 0 && o.Fleet.Ready > 0
}

// believe makes a tick's news of the counters and remembers where they stand.
func (m *memory) believe(o Observation, now float64, p Policy, s *sight) news {
	n := news{now: now}
	queueBlind := len(s.blind) > 0
	if p.Kind != TargetWait || (queueBlind && m.Learned != 0) {
		return n
	}
	d := &m.Wait.Demand
	n.counted = now - o.Accepted.Age.Seconds()
	anew := d.since(n.counted) > 0 // else the count is the one that was believed last
	slots := usable(o.Worked) && usable(o.Finished)
	if m.Learned != 0 {
		n.seconds = now - m.Learned
		if anew {
			n.photos = o.Accepted.Value - m.Accepted
		}
		if slots && m.Counted && o.Worked.Value >= m.Worked && o.Finished.Value >= m.Finished {
			n.worked, n.done = o.Worked.Value-m.Worked, o.Finished.Value-m.Finished
		}
	}
	if (m.Learned == 0 || !anew && !d.Begun) && len(s.blind) == 0 {
		s.blind = append(s.blind, "a rate needs two readings")
	}
	if !usable(o.Accepted) || o.Accepted.Age.Seconds() > p.stale() || m.Doubted {
		return n
	}
	if m.Learned == 0 {
		d.begin(n.counted)
	}
	if m.Learned == 0 || anew {
		m.Accepted = o.Accepted.Value
	}
	m.Learned = now
	if slots {
		m.Counted, m.Worked, m.Finished = true, o.Worked.Value, o.Finished.Value
	}
	if usable(o.Waiting) && usable(o.InFlight) {
		m.Depth = o.Waiting.Value + o.InFlight.Value
	}
	return n
}
