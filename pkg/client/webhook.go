package client

import (
	"encoding/json"
	"time"
)

// EventType names what a webhook tells of. Accept values you do not know.
type EventType string

// The events to which a webhook can subscribe.
const (
	EventBatchCompleted     EventType = "batch.completed" // every item has ended, however it ended
	EventBatchFailed        EventType = "batch.failed"
	EventBatchCancelled     EventType = "batch.cancelled"
	EventBatchExpired       EventType = "batch.expired"
	EventDetectionCompleted EventType = "detection.completed"
	EventDetectionFailed    EventType = "detection.failed"
	EventAlertUnmasked      EventType = "alert.unmasked" // more faces without masks than UnmaskedAbove
)

// WebhookSettings are what an owner may say of a webhook.
type WebhookSettings struct {
	URL           string      `json:"url"`
	Name          string      `json:"name,omitempty"`
	Events        []EventType `json:"events"`
	UnmaskedAbove int         `json:"unmasked_above,omitempty"` // of EventAlertUnmasked
}

// WebhookChange changes what is not nil.
type WebhookChange struct {
	URL           *string      `json:"url,omitempty"`
	Name          *string      `json:"name,omitempty"`
	Events        *[]EventType `json:"events,omitempty"`
	UnmaskedAbove *int         `json:"unmasked_above,omitempty"`
	Enabled       *bool        `json:"enabled,omitempty"`
}

// Webhook is an address of yours that is told when something happens.
type Webhook struct {
	WebhookSettings
	ID        string           `json:"id"`
	Enabled   bool             `json:"enabled"`
	Disabled  *WebhookDisabled `json:"disabled"` // nil: it is enabled
	CreatedAt time.Time        `json:"created_at"`
	// Secret is what messages are signed with. It is there only in the answers that
	// made it: keep it.
	Secret string `json:"secret"`
	// PreviousSecretUntil is until when the secret before this one signs beside it.
	PreviousSecretUntil *time.Time `json:"previous_secret_until"`
}

// WebhookDisabled says since when a webhook is told nothing, and why.
type WebhookDisabled struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// DeliveryStatus is where a message stands. Accept values you do not know.
type DeliveryStatus string

// The states of a delivery.
const (
	DeliveryWaiting   DeliveryStatus = "waiting" // for its time, or its next attempt
	DeliverySending   DeliveryStatus = "sending"
	DeliveryDelivered DeliveryStatus = "delivered"
	DeliveryFailed    DeliveryStatus = "failed" // no attempt is left
)

// Delivery is a message to a webhook and what came of it. Its ID is the webhook-id that
// the receiver sees.
type Delivery struct {
	ID            string            `json:"id"`
	WebhookID     string            `json:"webhook_id"`
	Type          EventType         `json:"type"`
	Status        DeliveryStatus    `json:"status"`
	CreatedAt     time.Time         `json:"created_at"`
	NextAttemptAt *time.Time        `json:"next_attempt_at"`
	EndedAt       *time.Time        `json:"ended_at"`
	Attempts      []DeliveryAttempt `json:"attempts"`
	Body          json.RawMessage   `json:"body"` // as it is posted
}

// DeliveryAttempt is one POST to the webhook's address.
type DeliveryAttempt struct {
	Number     int       `json:"number"`
	At         time.Time `json:"at"`
	TookMS     int64     `json:"took_ms"`
	HTTPStatus int       `json:"http_status"` // 0: there was no answer
	Error      string    `json:"error"`       // empty if the receiver took the message
	Answer     string    `json:"answer"`      // its beginning
}
