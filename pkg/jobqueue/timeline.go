package jobqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
)

// timelineEvents is how much of a timeline is read: a photo of five attempts has
// fewer than twenty events, one that is re-driven over and over has more.
const timelineEvents = 100

// Timeline gives what EVENTS still holds of a photo, the oldest first. It is not the
// truth, the row is.
func (q *Queue) Timeline(ctx context.Context, id job.ID) ([]Event, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	stream, err := q.js.Stream(ctx, StreamEvents)
	if err != nil {
		return nil, fmt.Errorf("reading the timeline of %s: %w", id, classify(err))
	}
	var events []Event
	for next := uint64(1); len(events) < timelineEvents; {
		msg, err := stream.GetMsg(ctx, next, jetstream.WithGetMsgSubject(photoEvents(id)))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading the timeline of %s: %w", id, classify(err))
		}
		var e Event
		if err := json.Unmarshal(msg.Data, &e); err != nil {
			q.log.WarnContext(ctx, "event cannot be read", "photo_id", id, "sequence", msg.Sequence, "err", err)
		} else {
			events = append(events, e)
		}
		next = msg.Sequence + 1
	}
	return events, nil
}
