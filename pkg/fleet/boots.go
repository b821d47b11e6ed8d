package fleet

import (
	"maps"
	"time"
)

// failedBootsInARow suspend launching.
const failedBootsInARow = 3

// boots judges instances by their signs of life. Boots that fail one after the other
// have a common cause, such as a broken image, that more of them only make dearer.
type boots struct {
	deadline, silence, pause time.Duration

	lives     map[string]life
	lookedAt  time.Time // when signs of life were last read
	failed    int       // in a row
	suspended time.Time // when launching was, or the last trial was made; zero: it is not
}

// life is what is known of an instance since it was last launched or started.
type life struct {
	launchedAt time.Time
	beat       time.Time // the newest sign, by the clock of who gave it
	heardAt    time.Time // when we learnt of it, by ours; at first: when we first looked; later by the time nobody listened
	lived      bool
	judged     bool // its boot counted
}

func newBoots(c Config) boots {
	return boots{deadline: c.BootDeadline, silence: c.Silence, pause: c.BreakerPause, lives: map[string]life{}}
}

// judge sets the health of every instance that is up, by signs of life that were read
// at a time.
func (b *boots) judge(now time.Time, instances []Instance, alive Heartbeats) {
	if alive == nil {
		return
	}
	b.forgiveDeafness(now)
	up := make(map[string]bool, len(instances))
	for i := range instances {
		if instances[i].Up() {
			up[instances[i].ID] = true
			instances[i].Health = b.health(now, instances[i], alive)
		}
	}
	maps.DeleteFunc(b.lives, func(id string, l life) bool {
		if !up[id] && !l.judged { // it ended by itself before it gave a sign
			b.count(now, false)
		}
		return !up[id]
	})
}

// excuse leaves the boots of instances out that we end ourselves.
func (b *boots) excuse(ids ...string) {
	for _, id := range ids {
		if l, known := b.lives[id]; known {
			l.judged = true
			b.lives[id] = l
		}
	}
}

// leastLooks are those without a sign that make a silence, however far apart: while the
// broker, EC2 or this machine stands still nobody listens, and the first look afterwards
// may come before the next sign.
const leastLooks = 3

// forgiveDeafness takes off everybody's silence what a single look may not add.
func (b *boots) forgiveDeafness(now time.Time) {
	deaf := now.Sub(b.lookedAt) - b.silence/leastLooks
	if !b.lookedAt.IsZero() && deaf > 0 {
		for id, l := range b.lives {
			l.heardAt = l.heardAt.Add(deaf)
			b.lives[id] = l
		}
	}
	b.lookedAt = now
}

func (b *boots) health(now time.Time, i Instance, alive Heartbeats) Health {
	l, known := b.lives[i.ID]
	if !known || i.LaunchedAt.Sub(l.launchedAt) > b.silence { // or started again
		l = life{launchedAt: i.LaunchedAt, heardAt: now}
	}
	if beat, lives := alive[i.ID]; lives && beat.After(l.beat) {
		l.beat, l.heardAt, l.lived = beat, now, true
	}
	overdue := now.Sub(l.launchedAt) >= b.deadline
	health := HealthReady
	switch {
	case l.lived && now.Sub(l.heardAt) < b.silence:
	case l.lived:
		health = HealthDangling
	case !overdue:
		health = HealthBooting
	case l.heardAt.Sub(l.launchedAt) < b.deadline: // we have looked since before its time was over
		health = HealthOverdue
	case now.Sub(l.heardAt) < b.silence: // it may have lived for long, and we have just come
	default:
		health = HealthDangling
	}
	if !l.judged && (l.lived || health == HealthOverdue) {
		l.judged = true
		b.count(now, l.lived)
	}
	b.lives[i.ID] = l
	return health
}

func (b *boots) count(now time.Time, succeeded bool) {
	if succeeded {
		b.failed, b.suspended = 0, time.Time{}
		return
	}
	if b.failed++; b.failed == failedBootsInARow {
		b.suspended = now
	}
}

// allow says how many of n instances may be launched now: all, none while launching is
// suspended, or a single one to try whether boots still fail.
func (b *boots) allow(now time.Time, n int) int {
	if b.suspended.IsZero() {
		return n
	}
	if now.Sub(b.suspended) < b.pause {
		return 0
	}
	return min(n, 1)
}

// tried says that there is a new instance: while launching is suspended that was the
// trial, and the next has to wait.
func (b *boots) tried(now time.Time) {
	if !b.suspended.IsZero() {
		b.suspended = now
	}
}
