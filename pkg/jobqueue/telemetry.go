package jobqueue

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// telemetryBatch is how many messages are asked for at once. Half an hour of a hundred
// instances takes some seventy questions.
const telemetryBatch = 1000

const pendingHeader = "Nats-Num-Pending" // on the end of a batch: how many more there are

// telemetryMessage is one message of TELEMETRY.
type telemetryMessage struct {
	subject  string
	sequence uint64
	data     []byte
	heard    Heard
}

// batchRequest is the question "these messages, please" in JetStream's words. The
// client library does not know it. A consumer would do as well, but leave something on
// the broker for each reader, and need rights to make it.
type batchRequest struct {
	Subject string     `json:"next_by_subj"`
	Batch   int        `json:"batch"`
	From    *time.Time `json:"start_time,omitempty"` // at first
	Next    uint64     `json:"seq,omitempty"`        // then
}

// readTelemetry gives each message of the window up to now, by the broker's clock.
func (q *Queue) readTelemetry(ctx context.Context, subject string, window time.Duration, each func(telemetryMessage)) error {
	now, err := q.brokerTime(ctx, StreamTelemetry)
	if err != nil {
		return err
	}
	from := now.Add(-window)
	request := batchRequest{Subject: subject, Batch: telemetryBatch, From: &from}
	for {
		last, more, err := q.readBatch(ctx, request, func(m telemetryMessage) {
			m.heard.Age = max(0, now.Sub(m.heard.At)) // below 0: told while we read
			each(m)
		})
		if err != nil || !more {
			return err
		}
		request.From, request.Next = nil, last+1
	}
}

// brokerTime is what the clock says by which messages of the stream are stamped.
func (q *Queue) brokerTime(ctx context.Context, stream string) (time.Time, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	s, err := q.js.Stream(ctx, stream)
	if err != nil {
		return time.Time{}, classify(err)
	}
	return s.CachedInfo().TimeStamp, nil // of this very moment: Stream asked for it
}

// readBatch asks one question. It gives the sequence of the last message and whether
// there are more behind it.
func (q *Queue) readBatch(ctx context.Context, request batchRequest, each func(telemetryMessage)) (last uint64, more bool, err error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	data, err := json.Marshal(request)
	if err != nil {
		return 0, false, err
	}
	inbox, err := q.nc.SubscribeSync(q.nc.NewInbox())
	if err != nil {
		return 0, false, classify(err)
	}
	defer func() { _ = inbox.Unsubscribe() }() // fails only on a connection that is gone, and the inbox with it
	if err := q.nc.PublishRequest(batchSubject(StreamTelemetry), inbox.Subject, data); err != nil {
		return 0, false, classify(err)
	}
	for {
		answer, err := inbox.NextMsgWithContext(ctx)
		if err != nil {
			return 0, false, classify(err)
		}
		switch status := answer.Header.Get(statusHeader); status {
		case "":
			m, err := readTelemetryMessage(answer)
			if err != nil {
				return 0, false, err
			}
			last = m.sequence
			each(m)
		case strconv.Itoa(http.StatusNoContent): // the end of the batch
			return last, last > 0 && answer.Header.Get(pendingHeader) != "0", nil
		case strconv.Itoa(http.StatusNotFound): // nothing within the window
			return 0, false, nil
		default:
			return 0, false, fmt.Errorf("%w: status %s %s", ErrUnavailable, status, answer.Header.Get("Description"))
		}
	}
}

func readTelemetryMessage(answer *nats.Msg) (telemetryMessage, error) {
	m := telemetryMessage{subject: answer.Header.Get(jetstream.SubjectHeader), data: answer.Data}
	var err error
	if m.sequence, err = strconv.ParseUint(answer.Header.Get(jetstream.SequenceHeader), 10, 64); err != nil {
		return m, fmt.Errorf("reading a sequence: %w", err)
	}
	if m.heard.At, err = time.Parse(time.RFC3339Nano, answer.Header.Get(jetstream.TimeStampHeaer)); err != nil {
		return m, fmt.Errorf("reading a time: %w", err)
	}
	return m, nil
}
