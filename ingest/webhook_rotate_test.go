package ingest

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"maskfleet/pkg/webhook"
)

// TestSecretIsRotatedOnce: a repetition after the door died does not push out the secret
// that the receiver still knows.
func TestSecretIsRotatedOnce(t *testing.T) {
	t.Parallel()
	site := newReceiver(t, nil)
	d := openDoorTo(t, site)
	made := d.askJSON(t, d.ann, http.MethodPost, "/v1/webhooks", fmt.Sprintf(`{"url": %q, "events": ["batch.completed"]}`, site.URL))
	w := webhookIn(t, made, http.StatusCreated)
	rotate := func(key string) string {
		t.Helper()
		return *webhookIn(t, d.ask(t, d.ann, http.MethodPost, w.Links.Rotate, nil, keyed(key)), http.StatusOK).Secret
	}
	_, _, id := d.die(t, d.ann, w.Links.Rotate, "died after")
	done := webhook.NewSecret()
	if err := d.store.RotateWebhookSecret(t.Context(), d.ann.user.ID, w.ID, id, done, time.Hour); err != nil {
		t.Fatal(err)
	}
	if got := rotate("died after"); got != done {
		t.Errorf("the repetition gives another secret")
	}
	now, err := d.store.FindWebhook(t.Context(), d.ann.user.ID, w.ID)
	if err != nil || now.Secret != done || now.PreviousSecret != *w.Secret {
		t.Errorf("the endpoint has %+v, %v", now, err)
	}
	d.die(t, d.ann, w.Links.Rotate, "died before")
	if got := rotate("died before"); got == done {
		t.Error("a rotation that was not begun is not made up for")
	}
}
