package webhook

// Type names what happened.
type Type string

// The types of events. Receivers must ignore those they do not know.
const (
	BatchCompleted     Type = "batch.completed" // every item has ended, not: every item succeeded
	BatchFailed        Type = "batch.failed"
	BatchCancelled     Type = "batch.cancelled"
	BatchExpired       Type = "batch.expired"
	DetectionCompleted Type = "detection.completed"
	DetectionFailed    Type = "detection.failed"
	AlertUnmasked      Type = "alert.unmasked" // more unmasked faces in a photo than the endpoint's rule lets pass
	Test               Type = "webhook.test"   // asked for by a person; nobody subscribes to it
)

// Types lists those that an endpoint can subscribe to.
func Types() []Type {
	return []Type{
		BatchCompleted, BatchFailed, BatchCancelled, BatchExpired,
		DetectionCompleted, DetectionFailed, AlertUnmasked,
	}
}
