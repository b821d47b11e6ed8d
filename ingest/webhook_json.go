package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/linkfetch"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webhook"
)

// webhookAnswer is an endpoint as the API shows it. Its secret is shown once, in the
// answer that made it.
type webhookAnswer struct {
	ID            uuid.UUID        `json:"id"`
	URL           string           `json:"url"`
	Name          string           `json:"name"`
	Events        []webhook.Type   `json:"events"`
	UnmaskedAbove int              `json:"unmasked_above"`
	Enabled       bool             `json:"enabled"`
	Disabled      *webhookDisabled `json:"disabled"`
	Secret        *string          `json:"secret,omitempty"`
	// PreviousSecretUntil is until when the secret before this one signs too.
	PreviousSecretUntil *apiv1.Moment `json:"previous_secret_until"`
	CreatedAt           apiv1.Moment  `json:"created_at"`
	Links               webhookLinks  `json:"links"`
}

type webhookDisabled struct {
	At     apiv1.Moment `json:"at"`
	Reason string       `json:"reason"`
}

type webhookLinks struct {
	Self       string `json:"self"`
	Deliveries string `json:"deliveries"`
	Test       string `json:"test"`
	Rotate     string `json:"rotate"`
}

func newWebhookAnswer(w jobstore.Webhook) webhookAnswer {
	path := webhookPath(w.ID)
	a := webhookAnswer{
		ID: w.ID, URL: w.URL, Name: w.Name, Events: w.Rule.Events, UnmaskedAbove: w.Rule.UnmaskedAbove,
		Enabled: w.DisabledAt.IsZero(), PreviousSecretUntil: apiv1.MomentOrNull(w.PreviousUntil), CreatedAt: apiv1.Moment(w.CreatedAt),
		Links: webhookLinks{Self: path, Deliveries: path + "/deliveries", Test: path + "/test", Rotate: path + "/rotate"},
	}
	if !a.Enabled {
		a.Disabled = &webhookDisabled{At: apiv1.Moment(w.DisabledAt), Reason: w.DisabledWhy}
	}
	return a
}

// deliveryAnswer is a delivery as the API shows it. Its id is the webhook-id.
type deliveryAnswer struct {
	ID            uuid.UUID              `json:"id"`
	WebhookID     uuid.UUID              `json:"webhook_id"`
	Type          webhook.Type           `json:"type"`
	Status        jobstore.DeliveryState `json:"status"`
	CreatedAt     apiv1.Moment           `json:"created_at"`
	NextAttemptAt *apiv1.Moment          `json:"next_attempt_at"`
	EndedAt       *apiv1.Moment          `json:"ended_at"`
	Attempts      []attemptAnswer        `json:"attempts"`
	Body          json.RawMessage        `json:"body"`
	Links         deliveryLinks          `json:"links"`
}

type attemptAnswer struct {
	Number     int          `json:"number"`
	At         apiv1.Moment `json:"at"`
	TookMS     int64        `json:"took_ms"`
	HTTPStatus *int         `json:"http_status"`
	Error      *string      `json:"error"` // null if the endpoint took the message
	Answer     string       `json:"answer"`
}

type deliveryLinks struct {
	Self      string `json:"self"`
	Redeliver string `json:"redeliver"`
}

func (s *Service) newDeliveryAnswer(d jobstore.Delivery) (deliveryAnswer, error) {
	body, err := d.Event.Body(s.cfg.PublicURL)
	if err != nil {
		return deliveryAnswer{}, err
	}
	path := webhookPath(d.WebhookID) + "/deliveries/" + d.ID.String()
	a := deliveryAnswer{
		ID: d.ID, WebhookID: d.WebhookID, Type: d.Event.Type, Status: d.State,
		CreatedAt: apiv1.Moment(d.CreatedAt), NextAttemptAt: apiv1.MomentOrNull(d.DueAt), EndedAt: apiv1.MomentOrNull(d.EndedAt),
		Attempts: make([]attemptAnswer, len(d.Attempts)), Body: body,
		Links: deliveryLinks{Self: path, Redeliver: path + "/redeliver"},
	}
	for i, t := range d.Attempts {
		a.Attempts[i] = attemptAnswer{Number: t.Number, At: apiv1.Moment(t.At), TookMS: apiv1.Milliseconds(t.Took), Answer: t.Answer}
		if t.Status != 0 {
			a.Attempts[i].HTTPStatus = &t.Status
		}
		if t.Fault != "" {
			a.Attempts[i].Error = &t.Fault
		}
	}
	return a, nil
}

// webhookRequest is what an owner may say of an endpoint; what is left out stays as it
// is.
type webhookRequest struct {
	URL           *string         `json:"url"`
	Name          *string         `json:"name"`
	Events        *[]webhook.Type `json:"events"`
	UnmaskedAbove *int            `json:"unmasked_above"`
	Enabled       *bool           `json:"enabled"`
}

const (
	maxWebhookName = 100
	maxUnmasked    = 1_000_000
)

// applyTo changes the endpoint, or says everything that is wrong with the request.
func (r webhookRequest) applyTo(w *jobstore.Webhook) error {
	wrong := problem.New(http.StatusBadRequest, problem.CodeInvalidRequest, "The webhook cannot be like that.")
	if r.URL != nil {
		if err := linkfetch.CheckLink(*r.URL); err != nil {
			wrong = wrong.WithField("url", linkfetch.Why(err))
		}
		w.URL = *r.URL
	}
	if r.Name != nil {
		if !presentable(*r.Name) || utf8.RuneCountInString(*r.Name) > maxWebhookName {
			wrong = wrong.WithField("name", fmt.Sprintf("may have at most %d characters, none of them for control", maxWebhookName))
		}
		w.Name = *r.Name
	}
	if r.Events != nil {
		w.Rule.Events = distinct(*r.Events)
	}
	if !subscribable(w.Rule.Events) {
		wrong = wrong.WithField("events", "must be some of "+strings.Join(texts(webhook.Types()), ", "))
	}
	if r.UnmaskedAbove != nil {
		if *r.UnmaskedAbove < 0 || *r.UnmaskedAbove > maxUnmasked {
			wrong = wrong.WithField("unmasked_above", fmt.Sprintf("must be a whole number from 0 to %d", maxUnmasked))
		}
		w.Rule.UnmaskedAbove = *r.UnmaskedAbove
	}
	if r.Enabled != nil && *r.Enabled != w.DisabledAt.IsZero() {
		w.DisabledAt = time.Time{}
		if !*r.Enabled {
			w.DisabledAt = time.Now() // the store's clock is the one that counts
		}
	}
	if len(wrong.Errors) > 0 {
		return wrong
	}
	return nil
}

// change is the request for the store, once it was found to be right.
func (r webhookRequest) change() jobstore.WebhookChange {
	c := jobstore.WebhookChange{URL: r.URL, Name: r.Name, UnmaskedAbove: r.UnmaskedAbove, Enabled: r.Enabled}
	if r.Events != nil {
		c.Events = new(distinct(*r.Events))
	}
	return c
}

func distinct(events []webhook.Type) []webhook.Type {
	return slices.Compact(slices.Sorted(slices.Values(events)))
}

func presentable(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// subscribable says that there is something to subscribe to, and nothing else.
func subscribable(events []webhook.Type) bool {
	return len(events) > 0 && !slices.ContainsFunc(events, func(e webhook.Type) bool { return !slices.Contains(webhook.Types(), e) })
}
