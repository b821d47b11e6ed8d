package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/webhook"
)

// DeliveryState is where a delivery stands.
type DeliveryState string

// The states. A delivered or failed one waits again when a person asks for it.
const (
	DeliveryWaiting   DeliveryState = "waiting" // for its time, or its next try
	DeliverySending   DeliveryState = "sending"
	DeliveryDelivered DeliveryState = "delivered"
	DeliveryFailed    DeliveryState = "failed" // every try in vain
)

// DeliveryStates lists every state.
func DeliveryStates() []DeliveryState {
	return []DeliveryState{DeliveryWaiting, DeliverySending, DeliveryDelivered, DeliveryFailed}
}

// Delivery is an event on its way to one endpoint. Its ID is the webhook-id, the same
// at every try.
type Delivery struct {
	ID, WebhookID uuid.UUID
	Event         webhook.Event
	CreatedAt     time.Time

	State    DeliveryState
	Fence    int       // of the claim
	Tries    int       // that ended, since it was asked for last
	Attempts []Attempt // with FindDelivery and ListDeliveries, the oldest first
	DueAt    time.Time // of the next try, with DeliveryWaiting
	EndedAt  time.Time // zero until then
}

// Attempt is one try that ended.
type Attempt struct {
	Number int // from 1
	At     time.Time
	Took   time.Duration
	Status int    // of the answer; 0 without one
	Answer string // its first bytes
	Fault  string // empty if the endpoint took the message
}

const (
	// deliveriesAtOnce is how many one statement removes.
	deliveriesAtOnce = 1000
	// answerCharacters is how much of an answer is kept.
	answerCharacters = 512
)

const selectDeliveries = `
	SELECT webhook_id, id, event, subject_id, run, status, batch_id, custom_id, num_faces, num_unmasked, created_at,
		state, fence, tries, IF(state = 'waiting', due_at, NULL), ended_at
	FROM webhook_deliveries`

func scanDelivery(from row) (d Delivery, err error) {
	e := &d.Event
	err = from.Scan(&d.WebhookID, &d.ID, &e.Type, &e.Subject, &e.Run, &e.Status, idColumn{&e.BatchID}, &e.CustomID, &e.NumFaces, &e.NumUnmasked, &d.CreatedAt,
		&d.State, &d.Fence, &d.Tries, timeColumn{&d.DueAt}, timeColumn{&d.EndedAt})
	e.At = d.CreatedAt
	if errors.Is(err, sql.ErrNoRows) {
		return Delivery{}, ErrNotFound
	}
	return d, err
}

// WebhooksDue gives enabled endpoints of open accounts that have something to be
// delivered now, those first for whom it waits longest.
//
// Every door asks this every second, mostly in vain. STRAIGHT_JOIN has the server put
// ids and times in order before it reads the rest of a row, whose JSON would take the
// sorting to disk each time.
func (s *Store) WebhooksDue(ctx context.Context, limit int) ([]Webhook, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT STRAIGHT_JOIN `+webhookColumns+`
		FROM (
			SELECT id, (
				SELECT due_at FROM webhook_deliveries d
				WHERE d.webhook_id = webhooks.id AND d.due_at <= UTC_TIMESTAMP(6) ORDER BY d.due_at LIMIT 1
			) AS first_due
			FROM webhooks WHERE disabled_at IS NULL
		) waiting
		JOIN webhooks w ON w.id = waiting.id
		JOIN users ON users.id = w.owner_id AND users.disabled = FALSE
		WHERE waiting.first_due IS NOT NULL
		ORDER BY waiting.first_due LIMIT ?`, limit)
	due, err := collect(rows, err, scanWebhook)
	if err != nil {
		return nil, fmt.Errorf("looking for webhooks that are due: %w", err)
	}
	return due, nil
}

// ClaimDeliveries takes deliveries of an endpoint that are due, those first that wait
// longest, and leaves alone what others are taking at the moment. Each is the caller's
// for lease, in which it must be sent and recorded; after that it is due again. An
// endpoint that is disabled by now has none to give, though it was found due.
func (s *Store) ClaimDeliveries(ctx context.Context, endpoint uuid.UUID, limit int, lease time.Duration) (claimed []Delivery, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, selectDeliveries+`
			WHERE webhook_id = ? AND due_at <= UTC_TIMESTAMP(6)
				AND EXISTS (SELECT 1 FROM webhooks WHERE id = ? AND disabled_at IS NULL)
			ORDER BY due_at LIMIT ? FOR UPDATE SKIP LOCKED`, endpoint[:], endpoint[:], limit)
		if claimed, err = collect(rows, err, scanDelivery); err != nil || len(claimed) == 0 {
			return err
		}
		args := []any{lease.Microseconds(), endpoint[:]}
		for i := range claimed {
			claimed[i].State, claimed[i].DueAt = DeliverySending, time.Time{}
			claimed[i].Fence++
			args = append(args, claimed[i].ID[:])
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE webhook_deliveries SET state = 'sending', fence = fence + 1, due_at = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
			WHERE webhook_id = ? AND id IN (`+list(`?`, len(claimed))+`)`, args...)
		return err
	})
	if err != nil {
		return nil, webhookError("claiming deliveries of", endpoint, err)
	}
	return claimed, nil
}

// Outcome is what follows from an attempt.
type Outcome struct {
	State   DeliveryState // delivered, failed, or waiting
	Wait    time.Duration // until the next try, with waiting
	Disable bool          // the endpoint wants no more
}

// RecordAttempt notes how a try of a claimed delivery went, and what follows. It
// changes nothing if the claim is another's by now: then the try counts as not made.
func (s *Store) RecordAttempt(ctx context.Context, d Delivery, a Attempt, o Outcome) (changed bool, err error) {
	ended := o.State != DeliveryWaiting
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		changed, err = found(tx.ExecContext(ctx, `
			UPDATE webhook_deliveries SET state = ?, tries = tries + 1, attempts = attempts + 1,
				due_at = IF(?, NULL, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND), ended_at = IF(?, UTC_TIMESTAMP(6), NULL)
			WHERE webhook_id = ? AND id = ? AND state = 'sending' AND fence = ?`,
			o.State, ended, o.Wait.Microseconds(), ended, d.WebhookID[:], d.ID[:], d.Fence))
		if err != nil || !changed {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO webhook_attempts (webhook_id, delivery_id, number, at, took_us, status, answer, fault)
			SELECT webhook_id, id, attempts, ?, ?, ?, LEFT(?, ?), ? FROM webhook_deliveries WHERE webhook_id = ? AND id = ?`,
			a.At, a.Took.Microseconds(), a.Status, a.Answer, answerCharacters, a.Fault, d.WebhookID[:], d.ID[:])
		if err != nil || !o.Disable {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE webhooks SET disabled_at = UTC_TIMESTAMP(6), disabled_why = ? WHERE id = ? AND disabled_at IS NULL`,
			DisabledAsGone, d.WebhookID[:])
		return err
	})
	if err != nil {
		return false, deliveryError("recording an attempt of", d.ID, err)
	}
	return changed, nil
}

// ReleaseDelivery gives a claimed delivery back that was not tried: it is due at once.
func (s *Store) ReleaseDelivery(ctx context.Context, d Delivery) (bool, error) {
	rows, err := s.exec(ctx, `
		UPDATE webhook_deliveries SET state = 'waiting', due_at = UTC_TIMESTAMP(6)
		WHERE webhook_id = ? AND id = ? AND state = 'sending' AND fence = ?`, d.WebhookID[:], d.ID[:], d.Fence)
	if err != nil {
		return false, deliveryError("releasing", d.ID, err)
	}
	return rows > 0, nil
}

// Redeliver lets a delivery be tried again now, whatever came of it, with all its
// tries. One that is being sent stays as it is, which is no error.
func (s *Store) Redeliver(ctx context.Context, endpoint, id uuid.UUID) error {
	_, err := s.exec(ctx, `
		UPDATE webhook_deliveries SET state = 'waiting', tries = 0, due_at = UTC_TIMESTAMP(6), ended_at = NULL
		WHERE webhook_id = ? AND id = ? AND state <> 'sending'`, endpoint[:], id[:])
	if err != nil {
		return deliveryError("asking again for", id, err)
	}
	return nil
}

// AddTestDelivery writes down an event that nothing caused.
func (s *Store) AddTestDelivery(ctx context.Context, endpoint, id uuid.UUID) error {
	statement, args := insertDelivery(Delivery{ID: id, WebhookID: endpoint, Event: webhook.Event{Type: webhook.Test, Subject: id}})
	if _, err := s.exec(ctx, statement, args...); err != nil {
		return deliveryError("adding test", id, err)
	}
	return nil
}

// DeliveryFilter picks the deliveries of one endpoint; its other zero fields do not
// restrict.
type DeliveryFilter struct {
	WebhookID uuid.UUID // required
	State     DeliveryState
	Before    uuid.UUID // the last delivery of the page before this one
	Limit     int       // required, at least 1
}

// ListDeliveries gives an endpoint's deliveries, the newest first.
func (s *Store) ListDeliveries(ctx context.Context, f DeliveryFilter) ([]Delivery, error) {
	where, args := ` WHERE webhook_id = ?`, []any{f.WebhookID[:]}
	if f.State != "" {
		where, args = where+` AND state = ?`, append(args, f.State)
	}
	if f.Before != (uuid.UUID{}) {
		where, args = where+` AND id < ?`, append(args, f.Before[:])
	}
	rows, err := s.db.QueryContext(ctx, selectDeliveries+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	deliveries, err := collect(rows, err, scanDelivery)
	if err == nil {
		err = s.addAttempts(ctx, f.WebhookID, deliveries)
	}
	if err != nil {
		return nil, webhookError("listing deliveries of", f.WebhookID, err)
	}
	return deliveries, nil
}

// FindDelivery gives one delivery of an endpoint.
func (s *Store) FindDelivery(ctx context.Context, endpoint, id uuid.UUID) (Delivery, error) {
	d, err := scanDelivery(s.db.QueryRowContext(ctx, selectDeliveries+` WHERE webhook_id = ? AND id = ?`, endpoint[:], id[:]))
	one := []Delivery{d}
	if err == nil {
		err = s.addAttempts(ctx, endpoint, one)
	}
	if err != nil {
		return Delivery{}, deliveryError("finding", id, classify(err))
	}
	return one[0], nil
}

// addAttempts reads the attempts of deliveries of one endpoint.
func (s *Store) addAttempts(ctx context.Context, endpoint uuid.UUID, deliveries []Delivery) error {
	if len(deliveries) == 0 {
		return nil
	}
	of := make(map[uuid.UUID]*Delivery, len(deliveries))
	args := []any{endpoint[:]}
	for i := range deliveries {
		of[deliveries[i].ID] = &deliveries[i]
		args = append(args, deliveries[i].ID[:])
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT delivery_id, number, at, took_us, status, answer, fault FROM webhook_attempts
		WHERE webhook_id = ? AND delivery_id IN (`+list(`?`, len(deliveries))+`) ORDER BY delivery_id, number`, args...)
	_, err = collect(rows, err, func(from row) (a Attempt, err error) {
		var id uuid.UUID
		var took micros
		err = from.Scan(&id, &a.Number, &a.At, &took, &a.Status, &a.Answer, &a.Fault)
		if d := of[id]; err == nil && d != nil {
			a.Took = took.duration()
			d.Attempts = append(d.Attempts, a)
		}
		return a, err
	})
	return err
}

// ForgetDeliveries removes deliveries that were made longer ago than that, whatever
// came of them, and says how many; a part at a time.
func (s *Store) ForgetDeliveries(ctx context.Context, olderThan time.Duration) (int, error) {
	rows, err := s.exec(ctx, `
		DELETE FROM webhook_deliveries WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND LIMIT ?`,
		olderThan.Microseconds(), deliveriesAtOnce)
	if err != nil {
		return 0, fmt.Errorf("forgetting old deliveries: %w", err)
	}
	return int(rows), nil
}

func deliveryError(doing string, id uuid.UUID, err error) error {
	return fmt.Errorf("%s delivery %s: %w", doing, id, err)
}
