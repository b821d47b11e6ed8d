package scaler

import (
	"slices"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue"
	"maskfleet/pkg/jobstore"
)

// disbelief is how much longer than usual instances must be silent to be given up
// when most of them fell silent together, or the only one did: then it is rather the
// broker's fault.
const disbelief = time.Minute

// member is one instance with all that is known of it.
type member struct {
	fleet.Instance
	workers    []jobqueue.Worker    // alive
	retirement *jobstore.Retirement // nil: it stays
	role       role
	why        string // it is failed
	canary     bool   // photos are tried at its worker before the others, and wait for it
}

// role is how an instance counts.
type role string

const (
	ready    role = "ready"    // works, or is silent and still believed in
	starting role = "starting" // launched or started, and not yet heard of
	draining role = "draining" // on its way out, or told by a person to take nothing
	failed   role = "failed"   // to be replaced
	resting  role = "stopped"  // stopped, or about to be
)

// census is the fleet at one moment, every instance in its role.
type census struct {
	at        time.Time // when it was listed
	members   []member
	reporting int  // of the ready ones, and of those that the listing lacks
	doubted   bool // most fell silent together, against the balancer's word, and are believed in for a while
}

// unheard is what is known of instances that are not heard of.
type unheard struct {
	since map[string]time.Time
	// early: the scaler has looked for less than a boot. What had stopped it may have
	// stopped them, and they boot.
	early bool
}

// takeCensus joins what EC2, the balancer, the broker and our own records say.
// Silence is judged at the time of the listing: while EC2 does not answer, nobody falls
// silent for longer.
func takeCensus(l fleet.Listing, workers []jobqueue.Worker, retirements map[string]jobstore.Retirement, quiet unheard) census {
	c := census{at: l.At}
	byInstance := make(map[string][]jobqueue.Worker, len(workers))
	for _, w := range workers {
		byInstance[w.Instance] = append(byInstance[w.Instance], w)
	}
	mute, heard := 0, 0
	c.members = make([]member, 0, len(l.Instances))
	for _, i := range l.Instances {
		m := member{Instance: i, workers: byInstance[i.ID]}
		if r, retiring := retirements[i.ID]; retiring {
			m.retirement = &r
		}
		m.role = m.naturalRole()
		switch {
		case m.role != ready:
		case i.Health != fleet.HealthDangling:
			heard++
		case i.Target.State != fleet.TargetUnhealthy:
			mute++
		}
		c.members = append(c.members, m)
	}
	c.doubted = mute > heard
	for n := range c.members {
		m := &c.members[n]
		if m.role != ready {
			continue
		}
		if m.Health == fleet.HealthReady {
			c.reporting++
		}
		if !quiet.early {
			m.judge(l.At, c.doubted, quiet.since[m.ID])
		}
	}
	return c
}

// naturalRole is the role but for the judgement of silence.
func (m *member) naturalRole() role {
	switch {
	case !m.Up():
		return resting
	case m.retirement != nil:
		return draining
	case m.Health == fleet.HealthOverdue:
		m.why = "it gave no sign of life within the time for a boot"
		return failed
	case m.Health == fleet.HealthBooting, m.State == fleet.StatePending && m.Health != fleet.HealthReady:
		return starting
	case m.told():
		return draining
	default:
		return ready
	}
}

// told says whether a person or a spot notice has told all its workers to take nothing.
func (m *member) told() bool {
	return len(m.workers) > 0 && !slices.ContainsFunc(m.workers, func(w jobqueue.Worker) bool { return !w.Drain.OfInstance() })
}

// judge gives up an instance that runs while its worker is silent.
func (m *member) judge(now time.Time, doubted bool, since time.Time) {
	if m.Health != fleet.HealthDangling {
		return
	}
	if doubted && (since.IsZero() || now.Sub(since) < disbelief) && m.Target.State != fleet.TargetUnhealthy {
		return
	}
	m.role, m.why = failed, "its worker gives no sign of life"
}

// spare marks the instance of the canary, a worker.
func (c census) spare(canary string) {
	for i := range c.members {
		m := &c.members[i]
		m.canary = slices.ContainsFunc(m.workers, func(w jobqueue.Worker) bool { return w.ID == canary })
	}
}

// in gives the members in a role.
func (c census) in(wanted role) (some []member) {
	for _, m := range c.members {
		if m.role == wanted {
			some = append(some, m)
		}
	}
	return some
}

func (c census) count(wanted role) (n int) {
	for i := range c.members {
		if c.members[i].role == wanted {
			n++
		}
	}
	return n
}

// size is how many instances count, ready or starting.
func (c census) size() int { return c.count(ready) + c.count(starting) }

// counts says whether it is ready or starting, and so part of the size.
func (m *member) counts() bool { return m.role == ready || m.role == starting }

// find gives the member of that id.
func (c census) find(id string) (member, bool) {
	at := slices.IndexFunc(c.members, func(m member) bool { return m.ID == id })
	if at < 0 {
		return member{}, false
	}
	return c.members[at], true
}
