package jobstore

import (
	"context"
	"database/sql"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/webhook"
)

// This file writes down what is to be delivered, in the transaction of the end itself:
// a delivery stands if and only if the end does. Locks are taken in the order photo,
// webhook, batch; an insert locks its webhook against deletion only.

// photoEnded writes the deliveries that the end of a photo causes. For an owner without
// webhooks it costs one read of an index, and locks nothing.
func photoEnded(ctx context.Context, tx *sql.Tx, id job.ID) error {
	event := webhook.Event{Subject: id}
	var state job.State
	rows, err := tx.QueryContext(ctx, `
		SELECT w.id, w.events, w.unmasked_above, p.state, p.publication, p.batch_id, p.custom_id, p.num_faces, p.num_unmasked
		FROM photos p JOIN webhooks w ON w.owner_id = p.owner_id
		WHERE p.id = ? AND p.deleted_at IS NULL AND w.disabled_at IS NULL`, id[:])
	listeners, err := collect(rows, err, func(from row) (l listener, err error) {
		err = from.Scan(&l.webhook, eventsColumn{&l.rule.Events}, &l.rule.UnmaskedAbove,
			&state, &event.Run, idColumn{&event.BatchID}, &event.CustomID, &event.NumFaces, &event.NumUnmasked)
		return l, err
	})
	if err != nil {
		return err
	}
	event.Status = string(state)
	return insertDeliveries(ctx, tx, event, listeners, func(r webhook.Rule) []webhook.Type {
		return r.OfPhoto(state, event.NumUnmasked)
	})
}

// batchEnded writes the deliveries that the end of a batch's run causes.
func batchEnded(ctx context.Context, tx *sql.Tx, b job.Batch) error {
	rows, err := tx.QueryContext(ctx, `
		SELECT id, events, unmasked_above FROM webhooks WHERE owner_id = ? AND disabled_at IS NULL`, b.OwnerID[:])
	listeners, err := collect(rows, err, func(from row) (l listener, err error) {
		err = from.Scan(&l.webhook, eventsColumn{&l.rule.Events}, &l.rule.UnmaskedAbove)
		return l, err
	})
	if err != nil {
		return err
	}
	event := webhook.Event{Subject: b.ID, Run: b.Run, Status: string(b.State)}
	return insertDeliveries(ctx, tx, event, listeners, func(r webhook.Rule) []webhook.Type { return r.OfBatch(b.State) })
}

// listener is an enabled webhook of the owner, and what it wants.
type listener struct {
	webhook uuid.UUID
	rule    webhook.Rule
}

// insertDeliveries writes one for each listener and type that it wants. An event has
// one id, to whomever it goes.
func insertDeliveries(ctx context.Context, tx *sql.Tx, event webhook.Event, listeners []listener, wanted func(webhook.Rule) []webhook.Type) error {
	ids := map[webhook.Type]uuid.UUID{}
	var deliveries []Delivery
	for _, l := range listeners {
		for _, kind := range wanted(l.rule) {
			if _, known := ids[kind]; !known {
				id, err := uuid.NewV7()
				if err != nil {
					return err
				}
				ids[kind] = id
			}
			event.Type = kind
			deliveries = append(deliveries, Delivery{ID: ids[kind], WebhookID: l.webhook, Event: event})
		}
	}
	if len(deliveries) == 0 {
		return nil
	}
	statement, args := insertDelivery(deliveries...)
	// An end that was told before, of the same run, is not told again.
	_, err := tx.ExecContext(ctx, statement+` ON DUPLICATE KEY UPDATE webhook_deliveries.id = webhook_deliveries.id`, args...)
	return err
}

// insertDelivery is the statement that stores new deliveries, at least one, due at once.
func insertDelivery(deliveries ...Delivery) (string, []any) {
	var args []any
	for _, d := range deliveries {
		e := d.Event
		args = append(args, d.WebhookID[:], d.ID[:], e.Type, e.Subject[:], e.Run, e.Status,
			idOrNull(e.BatchID), e.CustomID, e.NumFaces, e.NumUnmasked, DeliveryWaiting)
	}
	return `
		INSERT INTO webhook_deliveries (
			webhook_id, id, event, subject_id, run, status, batch_id, custom_id, num_faces, num_unmasked, state, created_at, due_at
		) VALUES ` + list(`(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))`, len(deliveries)), args
}
