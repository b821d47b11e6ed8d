package webui

import (
	"slices"
	"strconv"
	"time"
)

// WebhookForm is what an owner says of a webhook, as it was typed.
type WebhookForm struct {
	URL, Name     string
	Events        []string
	UnmaskedAbove string
}

// EventChoice is an event that can be chosen.
type EventChoice struct {
	Type, Words string
	Chosen      bool
}

// EventChoices lists the events in the order of the form.
func (f WebhookForm) EventChoices() []EventChoice {
	choices := []EventChoice{
		{Type: "batch.completed", Words: "A batch is done"},
		{Type: "batch.failed", Words: "A batch failed as a whole"},
		{Type: "batch.cancelled", Words: "A batch was cancelled"},
		{Type: "batch.expired", Words: "A batch ran out of time"},
		{Type: "detection.completed", Words: "A photo has its result"},
		{Type: "detection.failed", Words: "A photo failed"},
		{Type: "alert.unmasked", Words: "A photo shows too many faces without masks"},
	}
	for i := range choices {
		choices[i].Chosen = slices.Contains(f.Events, choices[i].Type)
	}
	return choices
}

// WebhookRow is a webhook in the list, and the head of its page.
type WebhookRow struct {
	ID        string
	URL, Name string
	Events    []string
	Enabled   bool
	Gone      bool // it disabled itself by answering 410
	CreatedAt time.Time
}

// Called is its name, or its address.
func (r WebhookRow) Called() string {
	if r.Name != "" {
		return r.Name
	}
	return r.URL
}

// WebhooksPage fills page "webhooks".
type WebhooksPage struct {
	Frame
	Webhooks []WebhookRow
	New      WebhookForm
	Wrong    string // a sentence, when the webhook was refused
	Made     *MadeWebhook
}

// MadeWebhook is a webhook just made, with its secret in full.
type MadeWebhook struct{ ID, Title, Secret string }

// DeliveryRow is a delivery in the log of a webhook.
type DeliveryRow struct {
	ID        string
	Event     string
	State     string // waiting, sending, delivered or failed
	About     string // page of the photo it is about; "" if there is none
	Body      string
	CreatedAt time.Time
	NextAt    time.Time
	Attempts  []AttemptRow
}

// AttemptRow is one try to deliver.
type AttemptRow struct {
	Number int
	At     time.Time
	Took   time.Duration
	Status int
	Fault  string
	Answer string
}

// Words says how the try went.
func (a AttemptRow) Words() string {
	switch a.Fault {
	case "":
		return "Taken, status " + strconv.Itoa(a.Status)
	case "address_forbidden":
		return "Refused by us: the address is private, or its port serves no websites"
	case "unknown_host":
		return "The name of the server leads nowhere"
	case "connection_failed":
		return "No connection, or it broke off"
	case "tls_failed":
		return "The server’s certificate is not good, or it speaks no HTTPS"
	case "timeout":
		return "No answer in time"
	case "redirected":
		return "Redirects are not followed, status " + strconv.Itoa(a.Status)
	case "status":
		return "Status " + strconv.Itoa(a.Status)
	}
	return "Could not be sent"
}

// Badge is the class of the delivery's badge.
func (d DeliveryRow) Badge() string {
	switch d.State {
	case "delivered":
		return "succeeded"
	case "sending":
		return "processing"
	case "failed":
		return "failed"
	}
	return "queued"
}

// Word is the delivery's state as people read it.
func (d DeliveryRow) Word() string {
	switch {
	case d.State == "delivered":
		return "Delivered"
	case d.State == "sending":
		return "Sending"
	case d.State == "failed":
		return "Failed"
	case len(d.Attempts) > 0:
		return "Trying again"
	}
	return "Waiting"
}

// Last is the latest try; nil before the first.
func (d DeliveryRow) Last() *AttemptRow {
	if len(d.Attempts) == 0 {
		return nil
	}
	return &d.Attempts[len(d.Attempts)-1]
}

// WebhookPage fills page "webhook".
type WebhookPage struct {
	Frame
	WebhookRow
	Form           WebhookForm
	Secret         string    // in full, only in the answer to its making
	OldSecretUntil time.Time // until when the one before signs too; zero outside of a rotation
	Deliveries     []DeliveryRow
	Show           string // "" for all, or the state of those that are shown
	Older          string // URL of the next page; "" on the last
	First          bool   // this is the first page
	Opened         string // the delivery that is shown in full
	Wrong, Done    string // a sentence
}

// Shows lists what can be shown, in the order of the tabs.
func (WebhookPage) Shows() []string { return []string{"delivered", "waiting", "failed"} }
