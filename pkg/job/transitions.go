package job

import "slices"

// State is where a photo stands.
type State string

// The states. The first two are open, the others terminal.
const (
	StateQueued     State = "queued"
	StateProcessing State = "processing"
	StateSucceeded  State = "succeeded"
	StateFailed     State = "failed"
	StateCancelled  State = "cancelled"
	StateExpired    State = "expired"
)

// States lists every state.
func States() []State {
	return []State{StateQueued, StateProcessing, StateSucceeded, StateFailed, StateCancelled, StateExpired}
}

// Terminal says whether the state is an end that only a person can reopen.
func (s State) Terminal() bool { return s != StateQueued && s != StateProcessing }

// MaxAttempts is how often a photo is tried; MaxSlotDeaths how many slots it may kill.
const (
	MaxAttempts   = 5
	MaxSlotDeaths = 2
)

// Row is the part of a photo's row that the protocol reads and writes. The clock is
// kept out: Due and LeaseOver say what the database's clock says of run_at and
// lease_until at the moment of the transition.
type Row struct {
	State       State
	Publication int  // how often the photo was handed to the broker
	Fence       int  // raised by every claim
	Attempts    int  // charged at claim, given back by a release
	SlotDeaths  int  // slots this photo has killed
	Confirmed   bool // the broker is known to have held the present publication
	Due         bool // run_at has come
	Leased      bool // a lease is set
	LeaseOver   bool // and lies in the past
	Deleted     bool // tombstone: objects and row are being removed
	DeadLetter  bool // DEAD is known to hold this failure
}

// Event is something that happens to a photo's row.
type Event string

// The events. Who may cause each is said beside its transition.
const (
	EventConfirm    Event = "confirm"
	EventRepublish  Event = "republish"
	EventClaim      Event = "claim"
	EventExhaust    Event = "exhaust"
	EventFinish     Event = "finish"
	EventBackOff    Event = "back off"
	EventDefer      Event = "defer"
	EventFail       Event = "fail"
	EventRelease    Event = "release"
	EventRecover    Event = "recover"
	EventAbandon    Event = "abandon"
	EventDeadLetter Event = "dead-letter"
	EventCancel     Event = "cancel"
	EventExpire     Event = "expire"
	EventReopen     Event = "reopen"
	EventDelete     Event = "delete"
)

// Settlement is what becomes of the message whose delivery led to a transition.
type Settlement string

// The settlements; SettleNone where no delivery is in hand.
const (
	SettleNone Settlement = "none"
	SettleHold Settlement = "hold"           // keep it alive, work goes on
	SettleAck  Settlement = "ack"            // done with it
	SettleNak  Settlement = "nak"            // back to the queue at once
	SettleWait Settlement = "nak with delay" // back to the queue later
	SettleTerm Settlement = "term"           // after DEAD holds it
)

// Input is what the actor of an event knows.
type Input struct {
	Publication int  // of the message in hand
	Fence       int  // of the claim in hand
	SlotDeath   bool // the attempt killed its slot
	Later       bool // the photo is not to be due at once
}

// Transition is one line of the protocol.
type Transition struct {
	Event Event
	By    string // who causes it
	From  []State
	To    State
	// Guard must hold beside From, or nothing changes. In words, then in code.
	GuardText string
	Guard     func(Row, Input) bool
	// Apply changes all but the state.
	Apply  func(*Row, Input)
	Settle Settlement
	// Items is what the same transaction adds to the open items of the photo's batch,
	// by the row before; nil: nothing.
	Items func(Row) int
}

func publicationMine(r Row, in Input) bool { return r.Publication == in.Publication && !r.Deleted }

func fenceMine(r Row, in Input) bool { return r.Fence == in.Fence }

func notDeleted(r Row, _ Input) bool { return !r.Deleted }

// Open says that the photo is still to come to an end: its batch waits for it.
func (r Row) Open() bool { return !r.State.Terminal() && !r.Deleted }

func closes(r Row) int {
	if r.Open() {
		return -1
	}
	return 0
}

func reopens(Row) int { return +1 }

func endLease(r *Row) { r.Leased, r.LeaseOver = false, false }

// nextPublication makes every message handed out so far a stale one.
func nextPublication(r *Row) {
	r.Publication++
	r.Confirmed = false
}

func chargeDeath(r *Row, in Input) {
	if in.SlotDeath {
		r.SlotDeaths++
	}
}

// Table is the row protocol: every change of a photo's state, and nothing else
// changes it. jobstore has one SQL statement for each line, in one file, held
// against this table by a test; a row begins as Accepted gives it.
func Table() []Transition {
	open := []State{StateQueued, StateProcessing}
	every := States()
	return []Transition{
		{
			Event: EventConfirm, By: "door, publisher", From: open, Settle: SettleNone,
			GuardText: "publication is mine",
			Guard:     publicationMine,
			Apply:     func(r *Row, _ Input) { r.Confirmed = true },
		},
		{
			Event: EventRepublish, By: "publisher", From: []State{StateQueued}, To: StateQueued, Settle: SettleNone,
			GuardText: "publication is mine, due; the broker holds no message of the photo",
			Guard:     func(r Row, in Input) bool { return publicationMine(r, in) && r.Due },
			Apply:     func(r *Row, _ Input) { nextPublication(r) },
		},
		{
			Event: EventClaim, By: "worker", From: open, To: StateProcessing, Settle: SettleHold,
			GuardText: "publication is mine, due, attempts left; a redelivery takes the fence at once",
			Guard: func(r Row, in Input) bool {
				return publicationMine(r, in) && r.Attempts < MaxAttempts && (r.Due || r.State == StateProcessing)
			},
			Apply: func(r *Row, _ Input) {
				r.Fence++
				r.Attempts++
				r.Leased, r.LeaseOver = true, false
				r.Confirmed = true // the message in hand proves it
			},
		},
		{
			Event: EventExhaust, By: "worker", From: []State{StateProcessing}, To: StateFailed, Settle: SettleTerm,
			Items:     closes,
			GuardText: "publication is mine, no attempts left: the last worker was lost",
			Guard:     func(r Row, in Input) bool { return publicationMine(r, in) && r.Attempts >= MaxAttempts },
			Apply: func(r *Row, _ Input) {
				r.Fence++ // the lost worker may be only asleep
				endLease(r)
			},
		},
		{
			Event: EventFinish, By: "worker", From: []State{StateProcessing}, To: StateSucceeded, Settle: SettleAck,
			Items:     closes,
			GuardText: "fence is mine",
			Guard:     fenceMine,
			Apply:     func(r *Row, _ Input) { endLease(r) },
		},
		{
			Event: EventBackOff, By: "worker", From: []State{StateProcessing}, To: StateQueued, Settle: SettleWait,
			GuardText: "fence is mine, attempts left; the same message comes again within a minute",
			Guard:     func(r Row, in Input) bool { return fenceMine(r, in) && r.Attempts < MaxAttempts },
			Apply: func(r *Row, in Input) {
				chargeDeath(r, in)
				endLease(r)
				r.Due = false
			},
		},
		{
			Event: EventDefer, By: "worker", From: []State{StateProcessing}, To: StateQueued, Settle: SettleAck,
			GuardText: "fence is mine, attempts left; the publisher brings it back at run_at",
			Guard:     func(r Row, in Input) bool { return fenceMine(r, in) && r.Attempts < MaxAttempts },
			Apply: func(r *Row, in Input) {
				chargeDeath(r, in)
				endLease(r)
				r.Due = false
				nextPublication(r)
			},
		},
		{
			Event: EventFail, By: "worker", From: []State{StateProcessing}, To: StateFailed, Settle: SettleTerm,
			Items:     closes,
			GuardText: "fence is mine",
			Guard:     fenceMine,
			Apply: func(r *Row, in Input) {
				chargeDeath(r, in)
				endLease(r)
			},
		},
		{
			Event: EventRelease, By: "worker that stops or lost a store", From: []State{StateProcessing}, To: StateQueued, Settle: SettleNak,
			GuardText: "fence is mine; not a failure, the attempt is given back",
			Guard:     fenceMine,
			Apply: func(r *Row, _ Input) {
				r.Attempts--
				endLease(r)
				r.Due = true
			},
		},
		{
			Event: EventRecover, By: "publisher", From: []State{StateProcessing}, To: StateQueued, Settle: SettleNone,
			GuardText: "publication is mine, the lease is over, attempts left",
			Guard: func(r Row, in Input) bool {
				return publicationMine(r, in) && r.LeaseOver && r.Attempts < MaxAttempts
			},
			Apply: func(r *Row, _ Input) {
				r.Fence++ // the lost worker may be only asleep
				endLease(r)
				r.Due = true
				nextPublication(r)
			},
		},
		{
			Event: EventAbandon, By: "publisher", From: []State{StateProcessing}, To: StateFailed, Settle: SettleNone,
			Items:     closes,
			GuardText: "publication is mine, the lease is over, no attempts left",
			Guard: func(r Row, in Input) bool {
				return publicationMine(r, in) && r.LeaseOver && r.Attempts >= MaxAttempts
			},
			Apply: func(r *Row, _ Input) {
				r.Fence++
				endLease(r)
			},
		},
		{
			Event: EventDeadLetter, By: "worker, publisher", From: []State{StateFailed}, To: StateFailed, Settle: SettleNone,
			GuardText: "publication is mine; DEAD has acknowledged it",
			Guard:     func(r Row, in Input) bool { return r.Publication == in.Publication },
			Apply:     func(r *Row, _ Input) { r.DeadLetter = true },
		},
		{
			Event: EventCancel, By: "a person", From: []State{StateQueued}, To: StateCancelled, Settle: SettleNone,
			Items:     closes,
			GuardText: "waiting; what is in hand finishes and counts",
			Guard:     notDeleted,
			Apply:     func(*Row, Input) {},
		},
		{
			Event: EventExpire, By: "publisher", From: []State{StateQueued}, To: StateExpired, Settle: SettleNone,
			Items:     closes,
			GuardText: "waiting past its window",
			Guard:     notDeleted,
			Apply:     func(*Row, Input) {},
		},
		{
			Event: EventReopen, By: "a person", From: []State{StateFailed, StateExpired}, To: StateQueued, Settle: SettleNone,
			Items:     reopens,
			GuardText: "not deleted; a new publication, so the broker's duplicate window does not swallow it",
			Guard:     notDeleted,
			Apply: func(r *Row, in Input) {
				r.Attempts, r.SlotDeaths = 0, 0
				r.Due, r.DeadLetter = !in.Later, false
				nextPublication(r)
			},
		},
		{
			Event: EventDelete, By: "a person, retention", From: every, Settle: SettleNone,
			Items:     closes,
			GuardText: "not deleted yet",
			Guard:     notDeleted,
			Apply: func(r *Row, _ Input) {
				r.Deleted = true
				r.Fence++ // a worker that has it in hand loses it
			},
		},
	}
}

// Accepted is the row of a photo at the moment its acceptance commits, which is the
// promise: from here on it reaches a terminal state.
func Accepted() Row { return Row{State: StateQueued, Publication: 1, Due: true} }

// Apply runs an event on a row. It gives the row after it and whether it changed
// anything; a refused event leaves the row as it was.
func Apply(r Row, e Event, in Input) (Row, bool) {
	for _, t := range Table() {
		if t.Event == e {
			return t.apply(r, in)
		}
	}
	return r, false
}

func (t Transition) apply(r Row, in Input) (Row, bool) {
	if !slices.Contains(t.From, r.State) || !t.Guard(r, in) {
		return r, false
	}
	t.Apply(&r, in)
	if t.To != "" {
		r.State = t.To
	}
	return r, true
}

// Refusal is why a claim changed nothing.
type Refusal string

// The refusals, and what the worker does with the message.
const (
	RefusedNone       Refusal = ""
	RefusedUnknown    Refusal = "unknown"    // no row at all: DEAD with reason "unknown", then ack
	RefusedGone       Refusal = "gone"       // a tombstone: ack
	RefusedTerminal   Refusal = "terminal"   // ack; if it failed, DEAD first
	RefusedSuperseded Refusal = "superseded" // a newer publication exists: ack
	RefusedEarly      Refusal = "early"      // run_at has not come: nak with delay
	RefusedExhausted  Refusal = "exhausted"  // no attempts left: EventExhaust, DEAD, term
)

// Refuse says why EventClaim would change nothing on the row, or RefusedNone.
func Refuse(r Row, in Input) Refusal {
	switch {
	case r.Deleted:
		return RefusedGone
	case r.State.Terminal():
		return RefusedTerminal
	case r.Publication != in.Publication:
		return RefusedSuperseded
	case r.Attempts >= MaxAttempts && r.State == StateProcessing:
		return RefusedExhausted
	case !r.Due && r.State == StateQueued:
		return RefusedEarly
	default:
		return RefusedNone
	}
}
