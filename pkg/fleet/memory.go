package fleet

import (
	"maps"
	"slices"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// memory is what is known beside EC2's answers, which may be minutes old.
type memory struct {
	settling, emptyBelieved time.Duration

	known      map[string]sighting // instances that were up at the last look
	changes    map[string]change   // what was done to instances
	emptySince time.Time           // zero: the last list was not empty
}

// sighting is an instance as a list showed it last.
type sighting struct {
	instance Instance
	at       time.Time
}

// change is what an instance becomes, whatever EC2 says for a while.
type change struct {
	to State
	at time.Time
}

// evidence is what speaks of instances beside EC2. Without heartbeats, which are nil
// then, it is no ground to give anybody up.
type evidence struct {
	alive   Heartbeats
	targets targets
}

// mayLive says whether an instance that no list shows may be there all the same.
func (e evidence) mayLive(id string) bool {
	_, alive := e.alive[id]
	return alive || e.alive == nil
}

// view is what comes of it all.
type view struct {
	instances []Instance
	vanished  []string    // given up without having been seen to end
	settled   []uuid.UUID // launches that nobody needs to watch any more
}

func newMemory(c Config) memory {
	return memory{settling: c.Settling, emptyBelieved: c.EmptyBelieved, known: map[string]sighting{}, changes: map[string]change{}}
}

// reconcile makes the best of a list, and changes nothing if it cannot be believed.
func (m *memory) reconcile(now time.Time, listed []Instance, launches []jobstore.LaunchIntent, signs evidence) (view, error) {
	if err := m.believe(now, listed, signs); err != nil {
		return view{}, err
	}
	var v view
	shown := make(map[string]bool, len(listed))
	for _, i := range listed {
		shown[i.ID] = true
		m.correct(now, &i)
		if i.ended() {
			delete(m.known, i.ID)
			continue
		}
		m.known[i.ID] = sighting{i, now}
		v.instances = append(v.instances, i)
	}
	m.addUnseen(now, &v, shown, launches, signs)
	m.addMissing(now, &v, shown, signs)
	return v, nil
}

// believe refuses an empty list for as long as anything else speaks of instances. One
// that has ended stays listed for about an hour, so a pool that was just emptied does
// not give an empty list.
func (m *memory) believe(now time.Time, listed []Instance, signs evidence) error {
	if len(listed) > 0 {
		m.emptySince = time.Time{}
		return nil
	}
	if len(m.known)+len(signs.alive)+len(signs.targets) == 0 {
		return nil
	}
	if m.emptySince.IsZero() {
		m.emptySince = now
	}
	if now.Sub(m.emptySince) < m.emptyBelieved {
		return ErrEmptyList
	}
	return nil
}

// correct gives an instance the state into which it was brought a moment ago.
func (m *memory) correct(now time.Time, i *Instance) {
	done, changed := m.changes[i.ID]
	if !changed {
		return
	}
	arrived := i.State == done.to || i.ended() ||
		done.to == StatePending && i.State == StateRunning || done.to == StateStopping && i.State == StateStopped
	if arrived || now.Sub(done.at) >= m.settling {
		delete(m.changes, i.ID)
		return
	}
	i.State = done.to
	if done.to == StatePending { // EC2 still shows when it was launched before
		i.LaunchedAt = done.at
	}
}

// addUnseen adds instances of launches that no list has shown yet, while they are
// young or may live.
func (m *memory) addUnseen(now time.Time, v *view, shown map[string]bool, launches []jobstore.LaunchIntent, signs evidence) {
	for _, launch := range launches {
		if launch.State != jobstore.LaunchLaunched {
			continue
		}
		waiting := false
		for _, id := range launch.Instances {
			_, seen := m.known[id]
			_, done := m.changes[id]
			switch {
			case shown[id] || seen || done: // addMissing knows better
			case launch.Age < m.settling || signs.mayLive(id):
				waiting = true
				v.instances = append(v.instances, Instance{
					ID: id, Type: launch.Type, Zone: launch.Zone, State: StatePending, LaunchedAt: now.Add(-launch.Age).UTC(),
				})
			default:
				v.vanished = append(v.vanished, id)
			}
		}
		if !waiting {
			v.settled = append(v.settled, launch.ID)
		}
	}
}

// addMissing adds instances that an earlier list showed and this one does not, while
// that was a moment ago or they may live.
func (m *memory) addMissing(now time.Time, v *view, shown map[string]bool, signs evidence) {
	for _, id := range slices.Sorted(maps.Keys(m.known)) {
		was := m.known[id]
		switch {
		case shown[id]:
		case now.Sub(was.at) < m.settling || signs.mayLive(id):
			m.correct(now, &was.instance)
			if !was.instance.ended() {
				was.instance.Shown = false
				v.instances = append(v.instances, was.instance)
			}
		default:
			delete(m.known, id)
			v.vanished = append(v.vanished, id)
		}
	}
}

// changed notes what was done to instances.
func (m *memory) changed(now time.Time, to State, ids ...string) {
	maps.DeleteFunc(m.changes, func(_ string, c change) bool { return now.Sub(c.at) >= m.settling })
	for _, id := range ids {
		m.changes[id] = change{to, now}
	}
}

// knows says whether a list has shown an instance of the pool under this id.
func (m *memory) knows(id string) bool {
	_, known := m.known[id]
	return known
}
