package jobqueue

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
)

// Publish hands a publication of a photo to the broker and waits until JOBS has
// stored it. It never adds a second message for the photo: ErrLive. Other errors
// are ErrDuplicate, ErrFull, ErrNoStream and ErrUnavailable; after the last the
// message may or may not be there, which Live tells.
func (q *Queue) Publish(ctx context.Context, m job.Message) error {
	data, err := m.Encode()
	if err != nil {
		return fmt.Errorf("publishing %s: %w", m.DedupID(), err)
	}
	msg := nats.NewMsg(JobSubject(m.Lane, m.PhotoID))
	msg.Data = data
	if m.TraceParent != "" {
		msg.Header.Set(traceParentHeader, m.TraceParent)
	}
	ack, err := q.store(ctx, StreamJobs, msg, jetstream.WithMsgID(m.DedupID()), jetstream.WithExpectLastSequencePerSubject(0))
	if err != nil {
		return fmt.Errorf("publishing %s: %w", m.DedupID(), classifyPublish(err))
	}
	if !ack.Duplicate {
		return nil
	}
	// The broker knows the publication and stored nothing. Whether the message it
	// remembers still lies there is another question.
	_, live, err := q.Live(ctx, m.Lane, m.PhotoID)
	switch {
	case err != nil:
		return fmt.Errorf("publishing %s: %w", m.DedupID(), err)
	case live:
		return fmt.Errorf("publishing %s: %w", m.DedupID(), ErrLive)
	default:
		return fmt.Errorf("publishing %s: %w", m.DedupID(), ErrDuplicate)
	}
}

// store publishes to a stream and waits for its ack. A broker that does not hold
// the stream is not asked again: a caller that can wait has its own way to.
func (q *Queue) store(ctx context.Context, stream string, msg *nats.Msg, options ...jetstream.PublishOpt) (*jetstream.PubAck, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	options = append(options, jetstream.WithExpectStream(stream), jetstream.WithRetryAttempts(0))
	return q.js.PublishMsg(ctx, msg, options...)
}

// Live says whether a message of the photo lies in its lane, waiting or in a
// worker's hands, and of which publication; 0 is one that this build cannot read.
func (q *Queue) Live(ctx context.Context, lane job.Lane, id job.ID) (publication int, live bool, err error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	answer, err := q.nc.RequestWithContext(ctx, lastMessageSubject(JobSubject(lane, id)), nil)
	if err != nil {
		return 0, false, fmt.Errorf("looking for the message of %s: %w", id, classify(err))
	}
	switch status := statusOf(answer); status {
	case 0:
		m, err := job.DecodeMessage(answer.Data)
		if err != nil {
			return 0, true, nil // live all the same
		}
		return m.Publication, true, nil
	case http.StatusNotFound:
		return 0, false, nil
	default:
		return 0, false, fmt.Errorf("looking for the message of %s: %w: status %d", id, ErrUnavailable, status)
	}
}

// statusOf is the status of an answer that is not a message, 0 for a message. A
// stored message cannot pass for a status by a header of that name alone.
func statusOf(answer *nats.Msg) int {
	if len(answer.Data) > 0 || answer.Header.Get(jetstream.StreamHeader) != "" {
		return 0
	}
	status, err := strconv.Atoi(answer.Header.Get(statusHeader))
	if err != nil {
		return 0
	}
	return status
}
