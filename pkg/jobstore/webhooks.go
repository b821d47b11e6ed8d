package jobstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/webhook"
)

// ErrTooManyWebhooks means that the account has as many as it may.
var ErrTooManyWebhooks = errors.New("too many webhooks")

// Why a webhook is disabled.
const (
	DisabledByOwner = "owner"
	DisabledAsGone  = "gone" // it answered 410
)

// Webhook is an endpoint to which the events of an account are posted.
type Webhook struct {
	ID, OwnerID    uuid.UUID
	URL            string
	Name           string // for people
	Rule           webhook.Rule
	Secret         string
	PreviousSecret string // signs too, until PreviousUntil; empty outside of a rotation
	PreviousUntil  time.Time
	Rotation       uuid.UUID // of the request that gave it Secret; zero for the first
	DisabledAt     time.Time // zero while it is enabled
	DisabledWhy    string
	CreatedAt      time.Time
}

// Secrets gives those with which a message to the endpoint is signed now.
func (w Webhook) Secrets() []string {
	if w.PreviousSecret == "" {
		return []string{w.Secret}
	}
	return []string{w.Secret, w.PreviousSecret}
}

// A previous secret whose time is over is not given to anybody.
const webhookColumns = `w.id, w.owner_id, w.url, w.name, w.events, w.unmasked_above, w.secret,
	IF(w.previous_until > UTC_TIMESTAMP(6), w.previous_secret, ''), IF(w.previous_until > UTC_TIMESTAMP(6), w.previous_until, NULL),
	w.rotation, w.disabled_at, w.disabled_why, w.created_at`

func scanWebhook(from row) (w Webhook, err error) {
	err = from.Scan(&w.ID, &w.OwnerID, &w.URL, &w.Name, eventsColumn{&w.Rule.Events}, &w.Rule.UnmaskedAbove, &w.Secret,
		&w.PreviousSecret, timeColumn{&w.PreviousUntil},
		&w.Rotation, timeColumn{&w.DisabledAt}, &w.DisabledWhy, &w.CreatedAt)
	if errors.Is(err, sql.ErrNoRows) {
		return Webhook{}, ErrNotFound
	}
	return w, err
}

// eventsColumn reads a JSON array of types of events.
type eventsColumn struct{ to *[]webhook.Type }

func (c eventsColumn) Scan(value any) error { return decodeJSON(value, c.to) }

// CreateWebhook stores a new endpoint, or gives ErrTooManyWebhooks if its owner has
// most of them already. One with a DisabledAt is disabled by its owner from the start.
func (s *Store) CreateWebhook(ctx context.Context, w Webhook, most int) error {
	events, err := json.Marshal(w.Rule.Events)
	var created int64
	if err == nil {
		disabled := !w.DisabledAt.IsZero()
		created, err = s.exec(ctx, `
			INSERT INTO webhooks (id, owner_id, url, name, events, unmasked_above, secret, created_at, disabled_at, disabled_why)
			SELECT ?, id, ?, ?, ?, ?, ?, ?, IF(?, UTC_TIMESTAMP(6), NULL), IF(?, ?, '') FROM users
			WHERE id = ? AND (SELECT COUNT(*) FROM webhooks WHERE owner_id = ?) < ?`,
			w.ID[:], w.URL, w.Name, string(events), w.Rule.UnmaskedAbove, w.Secret, w.CreatedAt,
			disabled, disabled, DisabledByOwner, w.OwnerID[:], w.OwnerID[:], most)
	}
	if err == nil && created == 0 {
		err = ErrTooManyWebhooks
	}
	if err != nil {
		return webhookError("creating", w.ID, err)
	}
	return nil
}

// ListWebhooks gives an account's endpoints, the oldest first.
func (s *Store) ListWebhooks(ctx context.Context, owner uuid.UUID) ([]Webhook, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+webhookColumns+` FROM webhooks w WHERE w.owner_id = ? ORDER BY w.id`, owner[:])
	webhooks, err := collect(rows, err, scanWebhook)
	if err != nil {
		return nil, fmt.Errorf("listing webhooks of %s: %w", owner, err)
	}
	return webhooks, nil
}

// FindWebhook gives an endpoint of the owner; another's is ErrNotFound.
func (s *Store) FindWebhook(ctx context.Context, owner, id uuid.UUID) (Webhook, error) {
	w, err := scanWebhook(s.db.QueryRowContext(ctx, `SELECT `+webhookColumns+` FROM webhooks w WHERE w.id = ? AND w.owner_id = ?`, id[:], owner[:]))
	if err != nil {
		return Webhook{}, webhookError("finding", id, classify(err))
	}
	return w, nil
}

// WebhookChange is what an owner changes about an endpoint; what is nil stays as it is,
// also where another changes it at the same moment.
type WebhookChange struct {
	URL, Name     *string
	Events        *[]webhook.Type
	UnmaskedAbove *int
	Enabled       *bool
}

// ChangeWebhook changes an endpoint of the owner; another's is ErrNotFound.
func (s *Store) ChangeWebhook(ctx context.Context, owner, id uuid.UUID, change WebhookChange) error {
	var events *string
	if change.Events != nil {
		text, err := json.Marshal(*change.Events)
		if err != nil {
			return webhookError("changing", id, err)
		}
		events = new(string(text))
	}
	rows, err := s.exec(ctx, `
		UPDATE webhooks SET url = COALESCE(?, url), name = COALESCE(?, name), events = COALESCE(?, events),
			unmasked_above = COALESCE(?, unmasked_above),
			disabled_why = CASE ? WHEN TRUE THEN '' WHEN FALSE THEN IF(disabled_at IS NULL, ?, disabled_why) ELSE disabled_why END,
			disabled_at = CASE ? WHEN TRUE THEN NULL WHEN FALSE THEN COALESCE(disabled_at, UTC_TIMESTAMP(6)) ELSE disabled_at END
		WHERE id = ? AND owner_id = ?`,
		change.URL, change.Name, events, change.UnmaskedAbove, change.Enabled, DisabledByOwner, change.Enabled, id[:], owner[:])
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return webhookError("changing", id, err)
	}
	return nil
}

// RotateWebhookSecret gives an endpoint a new secret, in the name of a rotation. The one
// it had signs beside it for as long as keep says; one that was being replaced already
// is forgotten.
func (s *Store) RotateWebhookSecret(ctx context.Context, owner, id, rotation uuid.UUID, secret string, keep time.Duration) error {
	rows, err := s.exec(ctx, `
		UPDATE webhooks SET previous_secret = secret, previous_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND,
			secret = ?, rotation = ?
		WHERE id = ? AND owner_id = ?`, keep.Microseconds(), secret, rotation[:], id[:], owner[:])
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return webhookError("rotating the secret of", id, err)
	}
	return nil
}

// DeleteWebhook removes an endpoint with its deliveries, also those that wait.
func (s *Store) DeleteWebhook(ctx context.Context, owner, id uuid.UUID) error {
	if _, err := s.FindWebhook(ctx, owner, id); err != nil {
		return err
	}
	for { // a part at a time: ends of photos wait for what a statement has locked
		rows, err := s.exec(ctx, `DELETE FROM webhook_deliveries WHERE webhook_id = ? LIMIT ?`, id[:], deliveriesAtOnce)
		if err != nil {
			return webhookError("deleting the deliveries of", id, err)
		}
		if rows < deliveriesAtOnce {
			break
		}
	}
	// Its secrets stand in kept answers. They go first: whoever finds no row any more
	// does not come here again.
	if err := s.forgetAnswers(ctx, id); err != nil {
		return webhookError("deleting", id, err)
	}
	rows, err := s.exec(ctx, `DELETE FROM webhooks WHERE id = ? AND owner_id = ?`, id[:], owner[:])
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return webhookError("deleting", id, err)
	}
	return nil
}

func webhookError(doing string, id uuid.UUID, err error) error {
	return fmt.Errorf("%s webhook %s: %w", doing, id, err)
}
