package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// SchemaVersion is the version of Message that this build writes and reads.
const SchemaVersion = 1

// ErrSchemaVersion marks a message of a version this build does not know. It is
// put back and not thrown away, so that a rolling upgrade works.
var ErrSchemaVersion = errors.New("unknown schema version")

// ErrMalformed marks a message that no build can have written.
var ErrMalformed = errors.New("malformed message")

// Message is what lies on the broker for a photo: where to look, never the bytes.
type Message struct {
	SchemaVersion int    `json:"v"`
	PhotoID       ID     `json:"photo_id"`
	Lane          Lane   `json:"lane"`
	Publication   int    `json:"publication"`
	TraceParent   string `json:"traceparent,omitempty"`
}

// NewMessage makes the message of a photo's given publication.
func NewMessage(p Photo, publication int) Message {
	return Message{
		SchemaVersion: SchemaVersion,
		PhotoID:       p.ID,
		Lane:          p.Lane,
		Publication:   publication,
		TraceParent:   p.TraceParent,
	}
}

// DedupID names this publication to the broker: "<photo>.<publication>". A photo
// published anew is a new message even within the broker's duplicate window.
func (m Message) DedupID() string { return fmt.Sprintf("%s.%d", m.PhotoID, m.Publication) }

// Encode gives the message's JSON.
func (m Message) Encode() ([]byte, error) { return json.Marshal(m) }

// DecodeMessage reads a message. The error is ErrSchemaVersion (with only the
// version known) or ErrMalformed.
func DecodeMessage(data []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(data, &m); err != nil {
		return Message{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if m.SchemaVersion != SchemaVersion {
		return Message{SchemaVersion: m.SchemaVersion}, fmt.Errorf("%w: %d", ErrSchemaVersion, m.SchemaVersion)
	}
	if m.PhotoID == (ID{}) || m.Publication < 1 {
		return Message{}, fmt.Errorf("%w: no photo or publication", ErrMalformed)
	}
	return m, nil
}

// DeadLetter is the record in DEAD of a photo that failed for good.
type DeadLetter struct {
	PhotoID     ID        `json:"photo_id"`
	Lane        Lane      `json:"lane"`
	Publication int       `json:"publication"`
	Reason      Code      `json:"reason"`
	Message     string    `json:"message"`
	Attempts    int       `json:"attempts"`
	SlotDeaths  int       `json:"slot_deaths"`
	WorkerID    string    `json:"worker_id,omitempty"`
	FailedAt    time.Time `json:"failed_at"`
	TraceParent string    `json:"traceparent,omitempty"`
}

// NewDeadLetter makes the dead letter of a photo that failed.
func NewDeadLetter(p Photo) DeadLetter {
	d := DeadLetter{
		PhotoID:     p.ID,
		Lane:        p.Lane,
		Publication: p.Row.Publication,
		Reason:      CodeInternal,
		Attempts:    p.Row.Attempts,
		SlotDeaths:  p.Row.SlotDeaths,
		WorkerID:    p.WorkerID,
		FailedAt:    p.DoneAt,
		TraceParent: p.TraceParent,
	}
	if p.Failure != nil {
		d.Reason = p.Failure.Code
		d.Message = p.Failure.Message()
	}
	return d
}

// DedupID names the dead letter to the broker; written twice, it is stored once.
func (d DeadLetter) DedupID() string { return fmt.Sprintf("%s.%d", d.PhotoID, d.Publication) }
