package webhook

import (
	"slices"

	"maskfleet/pkg/job"
)

// Type names what happened.
type Type string

// The types of events. Receivers must ignore those they do not know.
const (
	BatchCompleted     Type = "batch.completed" // every item has ended, not: every item succeeded
	BatchFailed        Type = "batch.failed"
	BatchCancelled     Type = "batch.cancelled"
	BatchExpired       Type = "batch.expired"
	DetectionCompleted Type = "detection.completed"
	DetectionFailed    Type = "detection.failed" // also of a photo that waited past its time
	AlertUnmasked      Type = "alert.unmasked"   // more unmasked faces in a photo than the endpoint's rule lets pass
	Test               Type = "webhook.test"     // asked for by a person; nobody subscribes to it
)

// Types lists those that an endpoint can subscribe to.
func Types() []Type {
	return []Type{
		BatchCompleted, BatchFailed, BatchCancelled, BatchExpired,
		DetectionCompleted, DetectionFailed, AlertUnmasked,
	}
}

// Rule is what an endpoint wants to be told.
type Rule struct {
	Events []Type
	// UnmaskedAbove is how many unmasked faces in a photo are no reason for an alert.
	UnmaskedAbove int
}

// OfPhoto gives the events that the end of a photo is to who has the rule.
func (r Rule) OfPhoto(state job.State, numUnmasked int) (wanted []Type) {
	switch state {
	case job.StateSucceeded:
		wanted = append(wanted, DetectionCompleted)
		if numUnmasked > r.UnmaskedAbove {
			wanted = append(wanted, AlertUnmasked)
		}
	case job.StateFailed, job.StateExpired:
		wanted = append(wanted, DetectionFailed)
	default: // who cancels a photo knows it
	}
	return r.only(wanted)
}

// OfBatch gives the events that the end of a batch is to who has the rule.
func (r Rule) OfBatch(state job.BatchState) []Type {
	if !state.Terminal() {
		return nil
	}
	return r.only([]Type{Type("batch." + string(state))})
}

func (r Rule) only(events []Type) []Type {
	return slices.DeleteFunc(events, func(e Type) bool { return !slices.Contains(r.Events, e) })
}
