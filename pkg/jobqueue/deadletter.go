package jobqueue

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
)

// DeadLetter writes the record of a photo that failed for good and waits until
// DEAD has stored it. Written again within the duplicate window it is stored once.
func (q *Queue) DeadLetter(ctx context.Context, letter job.DeadLetter) error {
	err := q.bury(ctx, string(letter.Reason), letter.PhotoID.String(), letter.DedupID(), letter.TraceParent, letter)
	if err != nil {
		return fmt.Errorf("writing the dead letter of %s: %w", letter.DedupID(), err)
	}
	return nil
}

// Stray is the record in DEAD of a message that belongs to no photo we know of.
type Stray struct {
	Reason    string    `json:"reason"`
	Subject   string    `json:"subject"` // where it lay in JOBS
	StoredAt  time.Time `json:"stored_at"`
	Delivered uint64    `json:"delivered"`
	Raw       []byte    `json:"raw"` // base64 in the JSON
}

// DeadLetterUnknown keeps a message that has no row or cannot be read in DEAD,
// whole, and waits until it is stored there. The reason is one word, for instance
// ReasonUnknown.
func (q *Queue) DeadLetterUnknown(ctx context.Context, reason string, d *Delivery) error {
	stray := Stray{Reason: reason, Subject: d.Subject, StoredAt: d.storedAt, Delivered: d.Delivered, Raw: d.Raw}
	photo := lastToken(d.Subject)
	// The sequence alone would come again on a broker that lost its store.
	id := fmt.Sprintf("%s.%d.%d", photo, d.sequence, d.storedAt.UnixNano())
	if err := q.bury(ctx, reason, photo, id, d.Message.TraceParent, stray); err != nil {
		return fmt.Errorf("writing the dead letter of %s: %w", d.Subject, err)
	}
	return nil
}

// CountDeadLetters is how many letters of a reason DEAD holds.
func (q *Queue) CountDeadLetters(ctx context.Context, reason string) (int, error) {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	stream, err := q.js.Stream(ctx, StreamDead)
	if err != nil {
		return 0, fmt.Errorf("counting dead letters: %w", classify(err))
	}
	info, err := stream.Info(ctx, jetstream.WithSubjectFilter(deadSubject(reason, "*")))
	if err != nil {
		return 0, fmt.Errorf("counting dead letters: %w", classify(err))
	}
	letters := 0
	for _, n := range info.State.Subjects {
		letters += int(n)
	}
	return letters, nil
}

// DiscardDeadLetters takes letters out of DEAD: those of a reason, of a photo, or of
// both; an empty string is any.
func (q *Queue) DiscardDeadLetters(ctx context.Context, reason, photo string) error {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	subject := deadSubject(cmp.Or(reason, "*"), cmp.Or(photo, "*"))
	stream, err := q.js.Stream(ctx, StreamDead)
	if err == nil {
		err = stream.Purge(ctx, jetstream.WithPurgeSubject(subject))
	}
	if err != nil {
		return fmt.Errorf("discarding %s: %w", subject, classify(err))
	}
	return nil
}

func (q *Queue) bury(ctx context.Context, reason, photo, dedupID, traceParent string, letter any) error {
	if !isToken(reason) {
		return fmt.Errorf("reason %q is not one word", reason)
	}
	data, err := json.Marshal(letter)
	if err != nil {
		return err
	}
	msg := nats.NewMsg(deadSubject(reason, photo))
	msg.Data = data
	if traceParent != "" {
		msg.Header.Set(traceParentHeader, traceParent)
	}
	_, err = q.store(ctx, StreamDead, msg, jetstream.WithMsgID(dedupID)) // a duplicate is as good
	return classifyPublish(err)
}
