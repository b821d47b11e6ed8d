package jobqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Departure is how an instance left the fleet, as far as EVENTS goes back.
type Departure struct {
	BegunAt time.Time // zero: nobody told
	EndedAt time.Time // zero: it has not ended, or nobody told
	By      string    // a person; empty: the policy
	Why     string
}

// Departure gives how the instance left last; false if nothing is told of that, or it
// was launched, started or recalled since.
func (q *Queue) Departure(ctx context.Context, instance string) (d Departure, told bool, _ error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	stream, err := q.js.Stream(ctx, StreamEvents)
	if err != nil {
		return d, false, fmt.Errorf("reading how %s left: %w", instance, classify(err))
	}
	type event struct {
		At  time.Time `json:"at"`
		By  string    `json:"by"`
		Why string    `json:"why"`

		sequence uint64
	}
	last := map[FleetEvent]event{}
	for _, what := range []FleetEvent{EventLaunched, EventRecalled, EventRetiring, EventEnded} {
		msg, err := stream.GetLastMsgForSubject(ctx, fleetSubject(what, instance))
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return d, false, fmt.Errorf("reading how %s left: %w", instance, classify(err))
		}
		e := event{sequence: msg.Sequence}
		if err := json.Unmarshal(msg.Data, &e); err != nil {
			q.log.WarnContext(ctx, "event of an instance cannot be read", "instance_id", instance, "sequence", msg.Sequence, "err", err)
			continue
		}
		last[what] = e
	}
	stays := max(last[EventLaunched].sequence, last[EventRecalled].sequence)
	if e := last[EventRetiring]; e.sequence > stays {
		d, told = Departure{BegunAt: e.At, By: e.By, Why: e.Why}, true
	}
	if e := last[EventEnded]; e.sequence > stays {
		d.EndedAt, told = e.At, true
		if d.Why == "" {
			d.By, d.Why = e.By, e.Why
		}
	}
	return d, told, nil
}
