package jobqueue

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/pkg/job"
)

// What is sent to a delivery's reply subject, in JetStream's words.
const (
	ackBody      = "+ACK"
	nakBody      = "-NAK"
	progressBody = "+WPI"
	termBody     = "+TERM"
)

// Delivery is a message in hand, for AckWait from its arrival or its last Extend;
// then it is another's. Settle it once, with Ack, Nak or Term. JetStream does not
// fence these: called late, they settle the delivery of whoever has the message by
// then. The fence in the photo's row is what keeps results apart.
type Delivery struct {
	// Message is what was published; with Err set, only as much as could be read.
	Message job.Message
	// Err is job.ErrMalformed or job.ErrSchemaVersion for a message that this build
	// cannot read.
	Err error
	// Raw are the message's bytes as they came.
	Raw     []byte
	Subject string
	// Delivered counts the deliveries of this message, this one included. It means
	// nothing for attempts: puts-back count too, and a publication starts anew.
	Delivered uint64

	q        *Queue
	reply    string
	sequence uint64    // in JOBS
	storedAt time.Time // by the broker's clock
}

func newDelivery(q *Queue, msg *nats.Msg) *Delivery {
	d := &Delivery{Raw: msg.Data, Subject: msg.Subject, q: q, reply: msg.Reply}
	d.Message, d.Err = decode(msg.Subject, msg.Data)
	if meta, err := msg.Metadata(); err == nil { // else the numbers stay 0
		d.Delivered, d.sequence, d.storedAt = meta.NumDelivered, meta.Sequence.Stream, meta.Timestamp
	}
	return d
}

// decode reads a message and holds it against where it lay: one that names another
// photo than its subject would escape the rule of one live message a photo.
func decode(subject string, data []byte) (job.Message, error) {
	m, err := job.DecodeMessage(data)
	if err != nil {
		return m, err
	}
	if want := JobSubject(m.Lane, m.PhotoID); subject != want {
		return m, fmt.Errorf("%w: lies at %q instead of %q", job.ErrMalformed, subject, want)
	}
	return m, nil
}

// Ack ends the message for good and waits until the broker has heard it.
func (d *Delivery) Ack(ctx context.Context) error {
	ctx, cancel := d.q.bounded(ctx)
	defer cancel()
	if _, err := d.q.nc.RequestWithContext(ctx, d.reply, []byte(ackBody)); err != nil {
		return fmt.Errorf("acknowledging %s: %w", d.Subject, classify(err))
	}
	return nil
}

// Nak puts the message back, to be delivered again after delay; 0 is at once.
func (d *Delivery) Nak(delay time.Duration) error {
	body := nakBody
	if delay > 0 {
		body = fmt.Sprintf(`%s {"delay": %d}`, nakBody, delay.Nanoseconds())
	}
	return d.tell("putting back", body)
}

// Extend keeps the message in hand for another AckWait.
func (d *Delivery) Extend() error { return d.tell("extending", progressBody) }

// Term ends the message for good without calling it done; the reason stands in the
// broker's advisory.
func (d *Delivery) Term(reason string) error {
	return d.tell("terminating", termBody+" "+reason)
}

// tell sends without waiting: an error means that the broker is away.
func (d *Delivery) tell(doing, body string) error {
	if err := d.q.nc.Publish(d.reply, []byte(body)); err != nil {
		return fmt.Errorf("%s %s: %w", doing, d.Subject, classify(err))
	}
	return nil
}
