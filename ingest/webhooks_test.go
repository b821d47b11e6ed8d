package ingest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"maskfleet/pkg/account"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/problem"
	"maskfleet/pkg/webhook"
)

// openDoorTo opens a door that may post to the receiver.
func openDoorTo(t *testing.T, r *receiver) *door {
	t.Helper()
	return openDoor(t, sharedStores(t), func(c *Config) {
		c.PublicURL = "https://photos.example"
		c.Webhooks.Post.Allow = []string{r.Listener.Addr().String()}
		c.Webhooks.PerAccount = 3
	})
}

func (d *door) askJSON(t *testing.T, p person, method, path, body string) answer {
	t.Helper()
	return d.ask(t, p, method, path, strings.NewReader(body), map[string]string{"Content-Type": "application/json"})
}

// webhookOf reads an endpoint from an answer of the wanted status.
func webhookIn(t *testing.T, a answer, status int) (w webhookAnswer) {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	a.into(t, &w)
	return w
}

func deliveryIn(t *testing.T, a answer, status int) (d deliveryAnswer) {
	t.Helper()
	if a.status != status {
		t.Fatalf("got %d %s, want %d", a.status, a.body, status)
	}
	a.into(t, &d)
	return d
}

// awaitAnswer follows a delivery by its link until it has ended.
func (d *door) awaitAnswer(t *testing.T, p person, link string) (got deliveryAnswer) {
	t.Helper()
	eventually(t, "the delivery has ended", func() bool {
		got = deliveryIn(t, d.ask(t, p, http.MethodGet, link, nil, nil), http.StatusOK)
		return got.EndedAt != nil
	})
	return got
}

// TestWebhooksByAPI walks through the life of an endpoint as an integrator does.
func TestWebhooksByAPI(t *testing.T) {
	t.Parallel()
	site := newReceiver(t, nil)
	d := openDoorTo(t, site)
	made := d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks",
		fmt.Sprintf(`{"url": %q, "name": "gate", "events": ["detection.completed", "alert.unmasked", "detection.completed"], "unmasked_above": 0}`, site.URL))
	w := webhookIn(t, made, http.StatusCreated)
	if w.Secret == nil || !w.Enabled || w.Disabled != nil || made.header.Get("Location") != w.Links.Self ||
		!slices.Equal(w.Events, []webhook.Type{webhook.AlertUnmasked, webhook.DetectionCompleted}) {
		t.Fatalf("made %s, Location %q", made.body, made.header.Get("Location"))
	}

	// What happens is delivered, signed, and in the log.
	photo := detectionOf(t, d.post(t, d.ann, photo(t), nil), http.StatusAccepted)
	d.complete(t, photo.ID)
	eventually(t, "both events came", func() bool { return len(site.all()) == 2 })
	site.mustVerify(t, *w.Secret)
	var log listOf[deliveryAnswer]
	eventually(t, "both are in the log", func() bool {
		d.ask(t, d.ann, http.MethodGet, w.Links.Deliveries+"?status=delivered", nil, nil).into(t, &log)
		return len(log.Data) == 2
	})
	for _, one := range log.Data {
		sent := slices.IndexFunc(site.all(), func(p posted) bool { return p.id() == one.ID.String() })
		if sent < 0 || string(site.all()[sent].body) != string(one.Body) || !strings.Contains(string(one.Body), "https://photos.example/v1/detections/"+photo.ID.String()) {
			t.Errorf("the log says %s of %s", one.Body, one.ID)
		}
		if len(one.Attempts) != 1 || one.Attempts[0].Error != nil || *one.Attempts[0].HTTPStatus != http.StatusNoContent {
			t.Errorf("attempts %+v", one.Attempts)
		}
	}
	var page listOf[deliveryAnswer]
	d.ask(t, d.ann, http.MethodGet, w.Links.Deliveries+"?page_size=1", nil, nil).into(t, &page)
	if len(page.Data) != 1 || page.Next == nil {
		t.Fatalf("page %+v", page)
	}
	first := page.Data[0].ID
	d.ask(t, d.ann, http.MethodGet, w.Links.Deliveries+"?page_size=1&page_token="+*page.Next, nil, nil).into(t, &page)
	if len(page.Data) != 1 || page.Data[0].ID == first || page.Next != nil {
		t.Errorf("the second page is %+v", page)
	}

	// The same message goes out again.
	again := d.ask(t, d.ann, http.MethodPost, log.Data[0].Links.Redeliver, nil, nil)
	deliveryIn(t, again, http.StatusAccepted)
	if got := d.awaitAnswer(t, d.ann, again.header.Get("Location")); len(got.Attempts) != 2 || got.ID != log.Data[0].ID {
		t.Errorf("after a replay: %+v", got)
	}

	// A test shows what the endpoint answers.
	site.setAnswer(status(http.StatusTeapot))
	test := deliveryIn(t, d.ask(t, d.ann, http.MethodPost, w.Links.Test, nil, nil), http.StatusAccepted)
	if got := d.awaitAnswer(t, d.ann, test.Links.Self); got.Type != webhook.Test || got.Status != jobstore.DeliveryFailed || got.Attempts[0].Answer != "as told" {
		t.Errorf("the test ended as %+v", got)
	}

	// Both secrets sign during a rotation, and neither is shown again.
	rotated := webhookIn(t, d.ask(t, d.ann, http.MethodPost, w.Links.Rotate, nil, nil), http.StatusOK)
	if rotated.Secret == nil || *rotated.Secret == *w.Secret || rotated.PreviousSecretUntil == nil {
		t.Fatalf("rotated: %+v", rotated)
	}
	seen := len(site.all())
	deliveryIn(t, d.ask(t, d.ann, http.MethodPost, w.Links.Test, nil, nil), http.StatusAccepted)
	eventually(t, "a test came", func() bool { return len(site.all()) > seen })
	last := site.all()[seen]
	for _, secret := range []string{*w.Secret, *rotated.Secret} {
		if err := webhook.Verify([]string{secret}, last.header, last.body, time.Now()); err != nil {
			t.Errorf("%v", err)
		}
	}
	for _, path := range []string{"/v1/webhooks", w.Links.Self, w.Links.Deliveries} {
		if a := d.ask(t, d.ann, http.MethodGet, path, nil, nil); a.status != http.StatusOK || strings.Contains(string(a.body), "whsec_") {
			t.Errorf("%s: %d %s", path, a.status, a.body)
		}
	}

	// Disabled, it takes no orders; deleted, it is gone with its log.
	off := webhookIn(t, d.askJSON(t, d.ann, http.MethodPatch, w.Links.Self, `{"enabled": false, "name": ""}`), http.StatusOK)
	if off.Enabled || off.Disabled == nil || off.Disabled.Reason != "owner" || off.Name != "" || off.URL != site.URL {
		t.Errorf("disabled: %+v", off)
	}
	for _, path := range []string{w.Links.Test, log.Data[0].Links.Redeliver} {
		d.refuses(t, d.ask(t, d.ann, http.MethodPost, path, nil, nil), http.StatusConflict, problem.CodeConflict)
	}
	if a := d.ask(t, d.ann, http.MethodDelete, w.Links.Self, nil, nil); a.status != http.StatusNoContent {
		t.Errorf("deleting: %d %s", a.status, a.body)
	}
	for _, path := range []string{w.Links.Self, w.Links.Deliveries, log.Data[0].Links.Self} {
		d.refuses(t, d.ask(t, d.ann, http.MethodGet, path, nil, nil), http.StatusNotFound, problem.CodeNotFound)
	}
}

func TestFailedDetectionIsPosted(t *testing.T) {
	t.Parallel()
	site := newReceiver(t, nil)
	d := openDoorTo(t, site)
	webhookIn(t, d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", fmt.Sprintf(`{"url": %q, "events": ["detection.failed"]}`, site.URL)), http.StatusCreated)
	id := detectionOf(t, d.post(t, d.ann, photo(t), nil), http.StatusAccepted).ID
	taken, refusal, _, err := d.store.Claim(t.Context(), id, d.publicationOf(t, id), "w-test", time.Minute)
	if err != nil || refusal != job.RefusedNone {
		t.Fatal(refusal, err)
	}
	if failed, err := d.store.Fail(t.Context(), id, taken.Row.Fence, job.Fail(job.CodeDecodeFailed, nil)); err != nil || !failed {
		t.Fatal(failed, err)
	}
	eventually(t, "it came", func() bool { return len(site.all()) == 1 })
	var body struct {
		Type string `json:"type"`
		Data struct {
			ID     job.ID `json:"id"`
			Status string `json:"status"`
		} `json:"data"`
	}
	if err := json.Unmarshal(site.all()[0].body, &body); err != nil || body.Type != "detection.failed" || body.Data.ID != id || body.Data.Status != "failed" {
		t.Errorf("got %s, %v", site.all()[0].body, err)
	}
}

// TestWebhookIsMadeOnce: by a request that is repeated after its answer was lost, or
// whose door died before it could answer.
func TestWebhookIsMadeOnce(t *testing.T) {
	t.Parallel()
	d := openDoorTo(t, newReceiver(t, nil))
	request := `{"url": "https://receiver.example/", "events": ["batch.completed"]}`
	header := map[string]string{"Content-Type": "application/json", "Idempotency-Key": "once"}
	post := func() webhookAnswer {
		t.Helper()
		return webhookIn(t, d.ask(t, d.ann, http.MethodPost, "/v1/webhooks", strings.NewReader(request), header), http.StatusCreated)
	}
	first := post()
	if again := post(); again.ID != first.ID || *again.Secret != *first.Secret {
		t.Errorf("got %+v, then %+v", first, again)
	}
	made, err := d.madeBefore(t.Context(), d.ann.user, &attempt{id: first.ID, again: true})
	if err != nil || made.ID != first.ID || made.Secret != *first.Secret {
		t.Errorf("another door finds %+v, %v", made, err)
	}
	if all, err := d.store.ListWebhooks(t.Context(), d.ann.user.ID); err != nil || len(all) != 1 {
		t.Errorf("there are %d webhooks, %v", len(all), err)
	}
}

// TestWebhooksAreTheirOwners: for anybody else they do not exist.
func TestWebhooksAreTheirOwners(t *testing.T) {
	t.Parallel()
	site := newReceiver(t, nil)
	d := openDoorTo(t, site)
	w := webhookIn(t, d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", fmt.Sprintf(`{"url": %q, "events": ["batch.completed"]}`, site.URL)), http.StatusCreated)
	test := deliveryIn(t, d.ask(t, d.ann, http.MethodPost, w.Links.Test, nil, nil), http.StatusAccepted)
	d.awaitAnswer(t, d.ann, test.Links.Self)
	other := webhookIn(t, d.askJSON(t, d.bob, http.MethodPost, "/v1/webhooks", fmt.Sprintf(`{"url": %q, "events": ["batch.completed"]}`, site.URL)), http.StatusCreated)
	calls := []struct{ method, path, body string }{
		{http.MethodGet, w.Links.Self, ""},
		{http.MethodPatch, w.Links.Self, `{"enabled": false}`},
		{http.MethodDelete, w.Links.Self, ""},
		{http.MethodPost, w.Links.Rotate, ""},
		{http.MethodPost, w.Links.Test, ""},
		{http.MethodGet, w.Links.Deliveries, ""},
		{http.MethodGet, test.Links.Self, ""},
		{http.MethodPost, test.Links.Redeliver, ""},
		{http.MethodGet, other.Links.Deliveries + "/" + test.ID.String(), ""}, // Ann's delivery at Bob's endpoint
		{http.MethodPost, other.Links.Deliveries + "/" + test.ID.String() + "/redeliver", ""},
		{http.MethodGet, "/v1/webhooks/none", ""},
		{http.MethodGet, other.Links.Deliveries + "/none", ""},
	}
	for _, call := range calls {
		d.refuses(t, d.askJSON(t, d.bob, call.method, call.path, call.body), http.StatusNotFound, problem.CodeNotFound)
	}
	var all listOf[webhookAnswer]
	d.ask(t, d.bob, http.MethodGet, "/v1/webhooks", nil, nil).into(t, &all)
	if len(all.Data) != 1 || all.Data[0].ID != other.ID {
		t.Errorf("Bob sees %+v", all.Data)
	}
	if len(site.all()) != 1 {
		t.Errorf("%d messages came, want Ann's test", len(site.all()))
	}
}

func TestWebhookRequestsAreChecked(t *testing.T) {
	t.Parallel()
	site := newReceiver(t, nil)
	d := openDoorTo(t, site)
	good := fmt.Sprintf(`{"url": %q, "events": ["batch.completed"]}`, site.URL)
	w := webhookIn(t, d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", good), http.StatusCreated)
	wrong := []struct{ body, field string }{
		{`{"url": "ftp://example.com/", "events": ["batch.completed"]}`, "url"},
		{`{"url": "https://me:secret@example.com/", "events": ["batch.completed"]}`, "url"},
		{`{"url": "https://example.com/", "events": []}`, "events"},
		{`{"url": "https://example.com/", "events": ["webhook.test"]}`, "events"},
		{`{"url": "https://example.com/", "events": ["all"]}`, "events"},
		{`{"url": "https://example.com/", "events": ["batch.completed"], "unmasked_above": -1}`, "unmasked_above"},
		{`{"url": "https://example.com/", "events": ["batch.completed"], "name": "a\u0000b"}`, "name"},
		{`{"url": "https://example.com/", "events": ["batch.completed"], "name": "` + strings.Repeat("é", 101) + `"}`, "name"},
		{`{"url": "https://example.com/", "events": "batch.completed"}`, "events"},
	}
	for _, c := range wrong {
		for method, path := range map[string]string{http.MethodPost: "/v1/webhooks", http.MethodPatch: w.Links.Self} {
			a := d.askJSON(t, d.ann, method, path, c.body)
			d.refuses(t, a, http.StatusBadRequest, problem.CodeInvalidRequest)
			if !strings.Contains(string(a.body), `"`+c.field+`"`) {
				t.Errorf("%s does not name %q", a.body, c.field)
			}
		}
	}
	for body, code := range map[string]string{
		`{"url": "https://example.com/"}`:                         problem.CodeMissingField,
		`{"events": ["batch.completed"]}`:                         problem.CodeMissingField,
		`{"url": "https://example.com/", "secret": "whsec_mine"}`: problem.CodeUnexpectedParameter,
		`{"url": `:  problem.CodeInvalidRequest,
		good + good: problem.CodeInvalidRequest,
	} {
		d.refuses(t, d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", body), http.StatusBadRequest, code)
	}
	for range 2 {
		webhookIn(t, d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", good), http.StatusCreated)
	}
	d.refuses(t, d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", good), http.StatusConflict, problem.CodeConflict)
	for _, query := range []string{"?status=lost", "?page_size=0", "?page_token=x"} {
		d.refuses(t, d.ask(t, d.ann, http.MethodGet, w.Links.Deliveries+query, nil, nil), http.StatusBadRequest, problem.CodeInvalidRequest)
	}

	// Scopes: a key for reading changes nothing.
	reader := d.ann
	var err error
	if reader.key, _, err = d.accounts.NewAPIKey(t.Context(), d.ann.user, "reader", []string{account.ScopeRead}); err != nil {
		t.Fatal(err)
	}
	webhookIn(t, d.ask(t, reader, http.MethodGet, w.Links.Self, nil, nil), http.StatusOK)
	for _, call := range []struct{ method, path string }{
		{http.MethodPost, "/v1/webhooks"},
		{http.MethodPatch, w.Links.Self},
		{http.MethodDelete, w.Links.Self},
		{http.MethodPost, w.Links.Rotate},
		{http.MethodPost, w.Links.Test},
	} {
		d.refuses(t, d.askJSON(t, reader, call.method, call.path, good), http.StatusForbidden, problem.CodeForbidden)
	}
	d.refuses(t, d.ask(t, person{}, http.MethodGet, "/v1/webhooks", nil, nil), http.StatusUnauthorized, problem.CodeUnauthenticated)
}
