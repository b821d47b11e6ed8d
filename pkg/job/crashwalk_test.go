package job

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
)

// The crash walk is a small model checker. It holds one photo, its message on the
// broker, a door, two workers and a publisher, each of which does one step at a
// time, and visits every order of these steps, with a crash, a lost lease, a wiped
// broker or a person's retry between any two of them. In every world it reaches,
// nothing forbidden may hold; and from every world a terminal state must be within
// reach without any further bad luck. The photo belongs to a batch, which must at all
// times know whether to wait for it.

const (
	walkWorkers = 2
	maxBadLuck  = 2 // crashes, lapses, wipes and retries by a person together
	maxFailures = 1
	maxReleases = 1
)

type doorStep int

const (
	doorInsert doorStep = iota
	doorPublish
	doorConfirm
	doorDone
)

type workerStep int

const (
	workerIdle workerStep = iota
	workerClaim
	workerWork
	workerDead // publish to DEAD
	workerMark // tell the row that DEAD holds it
	workerSettle
)

type walker struct {
	step        workerStep
	seq         int // of the message in hand
	publication int
	fence       int
	failed      int // publication of the row that failed, for DEAD
	settle      int // index into settlements
}

type publisherStep int

const (
	publisherLook publisherStep = iota
	publisherAsk                // direct get
	publisherBump
	publisherPublish
	publisherConfirm
	publisherDead
	publisherMark
)

type message struct {
	seq         int // stream sequence; 0: none
	publication int
	taken       bool // delivered and not yet due for redelivery
}

type world struct {
	row     Row
	exists  bool
	msg     message
	nextSeq int
	dead    int // publication that DEAD holds, 0: none
	results int // finishes since the last reopen
	open    int // what the photo's batch counts as open, kept by Transition.Items
	blame   int // failures, crashes and lapses: what may be charged as attempts

	door      doorStep
	doorSees  int // publication the door inserted
	workers   [walkWorkers]walker
	pub       publisherStep
	pubSees   int // publication the publisher read
	pubIssues int // publication it is about to publish

	misfortunes, failures, releases int
	stale                           bool // a worker that had lost its fence changed the row
}

// step is one possible next thing to happen.
type step struct {
	name string
	next world
	bad  bool // bad luck, not needed for progress
}

func (w world) publish(publication int) world {
	if w.msg.seq != 0 { // Nats-Expected-Last-Subject-Sequence: 0
		return w
	}
	w.nextSeq++
	w.msg = message{seq: w.nextSeq, publication: publication}
	return w
}

// removeMessage is an ack: JetStream matches it on the stream sequence alone.
func (w world) removeMessage(seq int) world {
	if w.msg.seq == seq {
		w.msg = message{}
	}
	return w
}

func (w world) returnMessage(seq int) world {
	if w.msg.seq == seq {
		w.msg.taken = false
	}
	return w
}

func settlements() []Settlement { return []Settlement{SettleAck, SettleNak, SettleWait, SettleTerm} }

func settlementIndex(s Settlement) int {
	for i, x := range settlements() {
		if x == s {
			return i
		}
	}
	panic("no such settlement: " + s)
}

// protocol is a table under examination and how much bad luck it must bear.
type protocol struct {
	lines   map[Event]Transition
	badLuck int
}

func protocolOf(table []Transition, badLuck int) protocol {
	p := protocol{lines: map[Event]Transition{}, badLuck: badLuck}
	for _, t := range table {
		p.lines[t.Event] = t
	}
	return p
}

// apply lets an event happen to the world's row and counts it in the photo's batch,
// both or neither, as one transaction does. A refused event changes nothing.
func (p protocol) apply(w world, e Event, in Input) (world, bool) {
	row, changed := p.lines[e].apply(w.row, in)
	if changed && p.lines[e].Items != nil {
		w.open += p.lines[e].Items(w.row)
	}
	w.row = row
	return w, changed
}

func (p protocol) settlementOf(e Event) int {
	return settlementIndex(p.lines[e].Settle)
}

func (p protocol) steps(w world) []step {
	var out []step
	add := func(name string, next world) { out = append(out, step{name: name, next: next}) }
	addBad := func(name string, next world) { out = append(out, step{name: name, next: next, bad: true}) }

	p.doorSteps(w, add, addBad)
	for i := range w.workers {
		p.workerSteps(w, i, add, addBad)
	}
	p.publisherSteps(w, add, addBad)
	p.surroundings(w, add, addBad)
	return out
}

func (p protocol) doorSteps(w world, add, addBad func(string, world)) {
	n := w
	switch w.door {
	case doorInsert:
		n.row, n.exists, n.door = Accepted(), true, doorPublish
		n.open = 1
		n.doorSees = n.row.Publication
		for _, left := range []int{1, 3} { // near the end, so that the walk meets it
			n.row.Attempts = MaxAttempts - left
			n.blame = n.row.Attempts
			add(fmt.Sprintf("door inserts, %d attempts left", left), n)
		}
		return
	case doorPublish:
		n = n.publish(w.doorSees)
		n.door = doorConfirm
		add("door publishes", n)
	case doorConfirm:
		n, _ = p.apply(n, EventConfirm, Input{Publication: w.doorSees})
		n.door = doorDone
		add("door confirms", n)
	case doorDone:
		return
	}
	if w.misfortunes < p.badLuck {
		c := w
		c.door, c.misfortunes = doorDone, c.misfortunes+1
		addBad("door crashes", c)
	}
}

func (p protocol) workerSteps(w world, i int, add, addBad func(string, world)) {
	say := func(what string) string { return fmt.Sprintf("worker %d %s", i, what) }
	me := w.workers[i]
	with := func(n world, m walker) world { n.workers[i] = m; return n }
	settleAs := func(n world, m walker, e Event) world {
		m.settle = p.settlementOf(e)
		m.step = workerSettle
		if settlements()[m.settle] == SettleTerm {
			m.step = workerDead
		}
		return with(n, m)
	}
	switch me.step {
	case workerIdle:
		if w.msg.seq != 0 && !w.msg.taken {
			n := w
			n.msg.taken = true
			add(say("takes"), with(n, walker{step: workerClaim, seq: w.msg.seq, publication: w.msg.publication}))
		}
		return
	case workerClaim:
		add(say("claims"), p.claim(w, me, with, settleAs))
	case workerWork:
		in := Input{Fence: me.fence}
		p.outcomes(w, func(name string, e Event, n world, in2 Input) {
			in2.Fence = in.Fence
			n, changed := p.apply(n, e, in2)
			if !changed { // the fence is another's: forget it, touch nothing
				add(say(name+", refused"), with(w, walker{}))
				return
			}
			n.stale = me.fence != w.row.Fence
			if e == EventFinish {
				n.results++
			}
			me.failed = n.row.Publication
			add(say(name), settleAs(n, me, e))
		})
	case workerDead:
		n := w
		n.dead = max(n.dead, me.failed)
		m := me
		m.step = workerMark
		add(say("writes DEAD"), with(n, m))
	case workerMark:
		n := w
		n, _ = p.apply(n, EventDeadLetter, Input{Publication: me.failed})
		m := me
		m.step = workerSettle
		add(say("marks DEAD"), with(n, m))
	case workerSettle:
		n := w
		switch settlements()[me.settle] {
		case SettleNak, SettleWait:
			n = n.returnMessage(me.seq)
		default:
			n = n.removeMessage(me.seq)
		}
		add(say("settles"), with(n, walker{}))
	}
	if w.misfortunes < p.badLuck {
		c := with(w, walker{})
		c.misfortunes++
		c.blame++
		addBad(say("crashes"), c)
	}
}

func (p protocol) claim(w world, me walker, with func(world, walker) world, settleAs func(world, walker, Event) world) world {
	in := Input{Publication: me.publication}
	n, changed := p.apply(w, EventClaim, in)
	if changed {
		me.fence, me.step = n.row.Fence, workerWork
		return with(n, me)
	}
	switch Refuse(w.row, in) {
	case RefusedExhausted:
		n, changed = p.apply(w, EventExhaust, in)
		if changed {
			me.failed = n.row.Publication
			return settleAs(n, me, EventExhaust)
		}
		return with(n, me)
	case RefusedEarly:
		me.settle, me.step = settlementIndex(SettleWait), workerSettle
	case RefusedTerminal:
		me.settle, me.step = settlementIndex(SettleAck), workerSettle
		if w.row.State == StateFailed && !w.row.DeadLetter {
			me.step, me.failed = workerDead, w.row.Publication
		}
	default:
		me.settle, me.step = settlementIndex(SettleAck), workerSettle
	}
	return with(n, me)
}

// outcomes lists how work can end: well, or as often badly as the walk allows.
func (p protocol) outcomes(w world, try func(string, Event, world, Input)) {
	try("finishes", EventFinish, w, Input{})
	if w.releases < maxReleases {
		n := w
		n.releases++
		try("releases", EventRelease, n, Input{})
	}
	if w.failures >= maxFailures {
		return
	}
	n := w
	n.failures++
	n.blame++
	if w.row.Attempts >= MaxAttempts {
		try("fails for good", EventFail, n, Input{})
		return
	}
	try("backs off", EventBackOff, n, Input{SlotDeath: true})
	try("defers", EventDefer, n, Input{})
	try("fails at once", EventFail, n, Input{})
}

func (p protocol) publisherSteps(w world, add, addBad func(string, world)) {
	n := w
	switch w.pub {
	case publisherLook:
		p.publisherLooks(w, add)
		return
	case publisherAsk:
		n.pub = publisherBump
		if w.msg.seq != 0 {
			n.pub = publisherLook
			if w.msg.publication == w.pubSees {
				n, _ = p.apply(n, EventConfirm, Input{Publication: w.pubSees})
			}
		}
		add("publisher asks", n)
	case publisherBump:
		n, changed := p.apply(w, EventRepublish, Input{Publication: w.pubSees})
		n.pub = publisherLook
		if changed {
			n.pub, n.pubIssues = publisherPublish, n.row.Publication
		}
		add("publisher bumps", n)
	case publisherPublish:
		n = n.publish(w.pubIssues)
		n.pub = publisherLook
		if n.msg.publication == w.pubIssues {
			n.pub = publisherConfirm
		}
		add("publisher publishes", n)
	case publisherConfirm:
		n, _ = p.apply(n, EventConfirm, Input{Publication: w.pubIssues})
		n.pub = publisherLook
		add("publisher confirms", n)
	case publisherDead:
		n.dead, n.pub = max(n.dead, w.pubSees), publisherMark
		add("publisher writes DEAD", n)
	case publisherMark:
		n, _ = p.apply(n, EventDeadLetter, Input{Publication: w.pubSees})
		n.pub = publisherLook
		add("publisher marks DEAD", n)
	}
	if w.misfortunes < p.badLuck {
		c := w
		c.pub, c.misfortunes = publisherLook, c.misfortunes+1
		addBad("publisher crashes", c)
	}
}

func (p protocol) publisherLooks(w world, add func(string, world)) {
	if !w.exists {
		return
	}
	n := w
	n.pubSees = w.row.Publication
	switch {
	case w.row.Deleted:
	case w.row.State == StateQueued && w.row.Due:
		n.pub = publisherAsk
		// Looking at a confirmed row whose message waits changes nothing: leave
		// it out, or the walk would never come to rest.
		if w.row.Confirmed && w.msg.seq != 0 && w.msg.publication == w.row.Publication {
			return
		}
		add("publisher finds it due", n)
	case w.row.State == StateProcessing && w.row.LeaseOver:
		in := Input{Publication: w.row.Publication}
		for _, e := range []Event{EventRecover, EventAbandon} {
			if n, changed := p.apply(n, e, in); changed {
				add("publisher: "+string(e), n)
				return
			}
		}
	case w.row.State == StateFailed && !w.row.DeadLetter:
		n.pub = publisherDead
		add("publisher finds it failed", n)
	}
}

// surroundings are the clock, the broker and people.
func (p protocol) surroundings(w world, add, addBad func(string, world)) {
	if !w.exists {
		return
	}
	if w.row.State == StateQueued && !w.row.Due {
		n := w
		n.row.Due = true
		add("run_at comes", n)
	}
	if w.row.State == StateProcessing && w.row.Leased && !w.row.LeaseOver && !p.held(w) {
		n := w
		n.row.LeaseOver = true
		add("lease of a lost worker ends", n)
	}
	if w.msg.seq != 0 && w.msg.taken && !p.takenBySomeone(w) {
		n := w
		n.msg.taken = false
		add("AckWait of a lost worker ends", n)
	}
	if w.misfortunes < p.badLuck && w.msg.taken && p.takenBySomeone(w) {
		n := w // a worker asleep past its lease: it will wake and go on
		n.msg.taken = false
		n.row.LeaseOver = n.row.Leased
		n.misfortunes++
		n.blame++
		addBad("lease lapses under a live worker", n)
	}
	if w.misfortunes < p.badLuck && w.nextSeq > 0 {
		n := w
		n.msg = message{}
		n.misfortunes++
		addBad("broker is wiped", n)
	}
	if w.misfortunes < p.badLuck {
		// To cancel is to expire without a way back: nothing new.
		for _, deed := range []struct {
			Event
			Input
		}{{EventReopen, Input{}}, {EventReopen, Input{Later: true}}, {EventExpire, Input{}}, {EventDelete, Input{}}} {
			n, changed := p.apply(w, deed.Event, deed.Input)
			if !changed {
				continue
			}
			if deed.Event == EventReopen {
				n.results, n.blame = 0, n.blame+MaxAttempts
			}
			n.misfortunes++
			addBad(fmt.Sprintf("a person, or the window: %s %+v", deed.Event, deed.Input), n)
		}
	}
}

func (p protocol) held(w world) bool {
	for _, m := range w.workers {
		if m.step == workerWork && m.fence == w.row.Fence {
			return true
		}
	}
	return false
}

func (p protocol) takenBySomeone(w world) bool {
	for _, m := range w.workers {
		if m.step != workerIdle && m.seq == w.msg.seq {
			return true
		}
	}
	return false
}

// normal gives one name to worlds that differ in nothing that matters: which of the
// workers is which, what an idle actor remembers, and how many messages there were.
func (w world) normal() world {
	switch w.pub {
	case publisherLook:
		w.pubSees, w.pubIssues = 0, 0
	case publisherAsk, publisherBump, publisherDead, publisherMark:
		w.pubIssues = 0
	case publisherPublish, publisherConfirm:
		w.pubSees = 0
	}
	newest := 0
	if w.msg.seq != 0 {
		newest = w.msg.seq
		w.msg.seq = 2
	}
	for i := range w.workers {
		if w.workers[i].seq == 0 {
			continue
		}
		if w.workers[i].seq == newest {
			w.workers[i].seq = 2
		} else {
			w.workers[i].seq = 1 // a message that is no more
		}
	}
	if w.nextSeq > 0 {
		w.nextSeq = 2
	}
	if w.door == doorDone {
		w.doorSees = 0
	}
	// Of publications and fences only "the row's" and "an older one" matter.
	for _, p := range []*int{
		&w.msg.publication, &w.dead, &w.doorSees, &w.pubSees, &w.pubIssues,
		&w.workers[0].publication, &w.workers[1].publication, &w.workers[0].failed, &w.workers[1].failed,
	} {
		*p = age(*p, w.row.Publication)
	}
	w.row.Publication = age(w.row.Publication, w.row.Publication)
	for i := range w.workers {
		w.workers[i].fence = age(w.workers[i].fence, w.row.Fence)
	}
	w.row.Fence = age(w.row.Fence, w.row.Fence)
	a, b := w.workers[0], w.workers[1]
	if a.step > b.step || a.step == b.step && (a.seq > b.seq || a.seq == b.seq && a.fence > b.fence) {
		w.workers[0], w.workers[1] = b, a
	}
	return w
}

// age tells the present number (2) from an older one (1) and none (0).
func age(n, present int) int {
	switch n {
	case 0:
		return 0
	case present:
		return 2
	default:
		return 1
	}
}

// forbidden names what must not hold in any world, or "".
func forbidden(w world) string {
	holders := 0
	for _, m := range w.workers {
		if m.step == workerWork && m.fence == w.row.Fence {
			holders++
		}
	}
	switch {
	case holders > 1:
		return "two workers hold the fence"
	case w.stale:
		return "a worker without the fence changed the row"
	case w.results > 1:
		return "two results"
	case w.results == 1 && w.exists && w.row.State != StateSucceeded:
		return "a result was lost"
	case w.row.Attempts > MaxAttempts:
		return "more attempts than allowed"
	case w.row.Attempts < 0:
		return "an attempt was given back twice"
	case w.row.Attempts > w.blame+1:
		return "an attempt was charged that nobody is to blame for"
	case w.row.State == StateProcessing && !w.row.Leased:
		return "processing without a lease"
	case w.row.State != StateProcessing && w.row.Leased:
		return "a lease without processing"
	case w.exists && w.row.Open() && w.open != 1:
		return "the batch does not wait for an open photo"
	case w.exists && !w.row.Open() && w.open != 0:
		return "the batch counted an end wrongly"
	}
	return ""
}

// atRest says that the promise is kept: terminal, nothing left behind.
func atRest(w world) bool {
	return !w.row.Open() && w.msg.seq == 0 && (w.row.Deleted || w.row.State != StateFailed || w.dead == w.row.Publication)
}

// atlas holds the worlds that a walk has reached, each by its number.
type atlas struct {
	number map[world]int32
	worlds []world
	from   []int32  // the world from which each was reached first
	by     []string // the step that led there
}

// note gives the world's number, a new one if it was not known.
func (a *atlas) note(w world, from int32, by string) int32 {
	if n, known := a.number[w]; known {
		return n
	}
	n := int32(len(a.worlds))
	a.number[w] = n
	a.worlds, a.from, a.by = append(a.worlds, w), append(a.from, from), append(a.by, by)
	return n
}

// path is the steps that led to a world.
func (a *atlas) path(n int32) []string {
	var steps []string
	for ; n != 0; n = a.from[n] {
		steps = append(steps, a.by[n])
	}
	slices.Reverse(steps)
	return steps
}

// arrow is a step that is not bad luck, between the numbers of two worlds.
type arrow struct{ from, to int32 }

// walk visits every reachable world. It gives the number of worlds and the first
// fault with the steps that led to it.
func (p protocol) walk() (worlds int, fault string, path []string) {
	a := &atlas{number: map[world]int32{}}
	a.note(world{}, 0, "")
	var arrows []arrow
	for n := int32(0); int(n) < len(a.worlds); n++ {
		if f := forbidden(a.worlds[n]); f != "" {
			return len(a.worlds), f, a.path(n)
		}
		for _, s := range p.steps(a.worlds[n]) {
			after := a.note(s.next.normal(), n, s.name)
			if !s.bad {
				arrows = append(arrows, arrow{from: n, to: after})
			}
		}
	}
	settles := a.settling(arrows)
	for n, w := range a.worlds {
		if w.exists && !settles[n] {
			return len(a.worlds), "never comes to rest", a.path(int32(n))
		}
	}
	return len(a.worlds), "", nil
}

// settling says of each world whether the arrows lead from it to one at rest.
func (a *atlas) settling(arrows []arrow) []bool {
	slices.SortFunc(arrows, func(x, y arrow) int { return cmp.Compare(x.to, y.to) })
	first := make([]int32, len(a.worlds)+1) // where the arrows to each world begin
	for _, x := range arrows {
		first[x.to+1]++
	}
	for n := range a.worlds {
		first[n+1] += first[n]
	}
	settles := make([]bool, len(a.worlds))
	var next []int32
	reach := func(n int32) {
		if !settles[n] {
			settles[n] = true
			next = append(next, n)
		}
	}
	for n, w := range a.worlds {
		if atRest(w) {
			reach(int32(n))
		}
	}
	for len(next) > 0 {
		n := next[len(next)-1]
		next = next[:len(next)-1]
		for _, x := range arrows[first[n]:first[n+1]] {
			reach(x.from)
		}
	}
	return settles
}

func TestCrashWalk(t *testing.T) {
	t.Parallel()
	worlds, fault, path := protocolOf(Table(), maxBadLuck).walk()
	if fault != "" {
		t.Fatalf("%s, after:\n%s", fault, lines(path))
	}
	if worlds < 10_000 {
		t.Errorf("the walk visited only %d worlds: it no longer walks", worlds)
	}
	t.Logf("visited %d worlds", worlds)
}

// TestCrashWalkNoticesMissingGuards weakens one line of the table at a time: a walk
// that finds nothing wrong with a broken protocol proves nothing about ours.
func TestCrashWalkNoticesMissingGuards(t *testing.T) {
	t.Parallel()
	unguarded := func(Row, Input) bool { return true }
	cases := []struct {
		name  string
		event Event
		spoil func(*Transition)
	}{
		{"finish without fence", EventFinish, func(t *Transition) { t.Guard = unguarded }},
		{"finish from any open state", EventFinish, func(t *Transition) {
			t.Guard, t.From = unguarded, States()
		}},
		{"claim leaves the fence", EventClaim, func(t *Transition) {
			old := t.Apply
			t.Apply = func(r *Row, in Input) { f := r.Fence; old(r, in); r.Fence = f }
		}},
		{"claim without limit of attempts", EventClaim, func(t *Transition) {
			t.Guard = publicationMine
		}},
		{"release charges the attempt", EventRelease, func(t *Transition) {
			t.Apply = func(r *Row, _ Input) { endLease(r); r.Due = true }
		}},
		{"release without fence", EventRelease, func(t *Transition) { t.Guard = unguarded }},
		{"lost lease is never recovered", EventRecover, func(t *Transition) {
			t.Guard = func(Row, Input) bool { return false }
		}},
		{"nothing is republished", EventRepublish, func(t *Transition) {
			t.Guard = func(Row, Input) bool { return false }
		}},
		{"exhausted is never failed", EventAbandon, func(t *Transition) {
			t.Guard = func(Row, Input) bool { return false }
		}},
		{"a finish does not count", EventFinish, func(t *Transition) { t.Items = nil }},
		{"an abandoned photo does not count", EventAbandon, func(t *Transition) { t.Items = nil }},
		{"a deletion counts what has ended already", EventDelete, func(t *Transition) { t.Items = func(Row) int { return -1 } }},
		{"a deleted photo expires, too", EventExpire, func(t *Transition) {
			t.Guard = unguarded
			t.Items = func(Row) int { return -1 }
		}},
		{"a retry does not count", EventReopen, func(t *Transition) { t.Items = nil }},
		{"a release counts", EventRelease, func(t *Transition) { t.Items = closes }},
		{"a failed photo is queued without a message", EventFail, func(t *Transition) { t.To = StateQueued }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			table := Table()
			for i := range table {
				if table[i].Event == c.event {
					c.spoil(&table[i])
				}
			}
			// With less bad luck there are far fewer worlds, and most faults show there.
			for luck := 0; luck <= maxBadLuck; luck++ {
				if _, fault, _ := protocolOf(table, luck).walk(); fault != "" {
					return
				}
			}
			t.Error("the walk found nothing wrong")
		})
	}
}

func lines(path []string) string {
	out := ""
	for _, s := range path {
		out += "  " + s + "\n"
	}
	return out
}
