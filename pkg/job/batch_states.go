package job

import "slices"

// BatchState is where a batch stands.
type BatchState string

// The states. Completed means that every item has ended, not that every item
// succeeded.
const (
	BatchValidating BatchState = "validating"
	BatchQueued     BatchState = "queued"
	BatchInProgress BatchState = "in_progress"
	BatchFinalizing BatchState = "finalizing"
	BatchCompleted  BatchState = "completed"
	BatchFailed     BatchState = "failed" // as a whole: nothing of it was looked at
	BatchCancelling BatchState = "cancelling"
	BatchCancelled  BatchState = "cancelled"
	BatchExpired    BatchState = "expired"
)

// BatchStates lists every state.
func BatchStates() []BatchState {
	return []BatchState{
		BatchValidating, BatchQueued, BatchInProgress, BatchFinalizing, BatchCompleted, BatchFailed,
		BatchCancelling, BatchCancelled, BatchExpired,
	}
}

// Terminal says whether the state is an end that only a retry can reopen.
func (s BatchState) Terminal() bool {
	return s == BatchCompleted || s == BatchFailed || s == BatchCancelled || s == BatchExpired
}

// BatchEvent is something that happens to a batch as a whole.
type BatchEvent string

// The events of a batch.
const (
	BatchEventExpanded BatchEvent = "expanded"
	BatchEventRefuse   BatchEvent = "refuse"
	BatchEventStart    BatchEvent = "start"
	BatchEventRest     BatchEvent = "rest"
	BatchEventFinalize BatchEvent = "finalize"
	BatchEventCancel   BatchEvent = "cancel"
	BatchEventRetry    BatchEvent = "retry"
)

// BatchTransition is one line of BatchTable.
type BatchTransition struct {
	Event BatchEvent
	By    string
	From  []BatchState
	To    BatchState
}

// BatchTable lists every change of a batch's state but for its deletion. What
// happens to it at rest depends on why it came to rest; see Batch.AtRest.
func BatchTable() []BatchTransition {
	return []BatchTransition{
		{BatchEventExpanded, "expander, with every item in its row", []BatchState{BatchValidating}, BatchQueued},
		{BatchEventRefuse, "expander, that found a fault", []BatchState{BatchValidating}, BatchFailed},
		{BatchEventStart, "dispatcher", []BatchState{BatchQueued}, BatchInProgress},
		{BatchEventRest, "who ends the last open item", []BatchState{BatchQueued, BatchInProgress}, BatchFinalizing},
		{BatchEventRest, "who ends the last open item, some waited too long", []BatchState{BatchQueued, BatchInProgress}, BatchExpired},
		{BatchEventRest, "who ends the last open item", []BatchState{BatchCancelling}, BatchCancelled},
		{BatchEventFinalize, "who ended the last item, or the dispatcher", []BatchState{BatchFinalizing}, BatchCompleted},
		{BatchEventCancel, "a person", []BatchState{BatchValidating, BatchQueued, BatchInProgress}, BatchCancelling},
		{BatchEventRetry, "a person", []BatchState{BatchFinalizing, BatchCompleted, BatchFailed, BatchExpired}, BatchInProgress},
	}
}

// BatchFrom gives the states from which the event leads on.
func BatchFrom(e BatchEvent) (from []BatchState) {
	for _, t := range BatchTable() {
		if t.Event == e {
			from = append(from, t.From...)
		}
	}
	slices.Sort(from)
	return slices.Compact(from)
}

// AtRest gives the state to which a batch goes on because none of its items is
// open, and whether it goes on at all: one that is still being expanded has items
// to come.
func (b Batch) AtRest() (BatchState, bool) {
	switch {
	case b.Counts.Remaining > 0 || !slices.Contains(BatchFrom(BatchEventRest), b.State):
		return b.State, false
	case b.State == BatchCancelling:
		return BatchCancelled, true
	case b.Counts.Expired > 0:
		return BatchExpired, true
	default:
		return BatchFinalizing, true
	}
}

// Goes says that the batch's items are dispatched.
func (b Batch) Goes() bool { return b.State == BatchQueued || b.State == BatchInProgress }

// MayRetry says that a new run may begin.
func (b Batch) MayRetry() bool { return slices.Contains(BatchFrom(BatchEventRetry), b.State) }
