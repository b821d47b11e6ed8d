package jobstore_test

import (
	"slices"
	"testing"
	"time"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webhook"
)

// TestChangeOfAWebhookTouchesNothingElse: what it says nothing of may have changed since
// its owner looked.
func TestChangeOfAWebhookTouchesNothingElse(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	w := newWebhook(t, store, testenv.Owner(t, store))
	if err := store.AddTestDelivery(t.Context(), w.ID, newID(t)); err != nil {
		t.Fatal(err)
	}
	must(t)(store.RecordAttempt(t.Context(), mustClaimDelivery(t, store, w), jobstore.Attempt{At: time.Now(), Status: 410, Fault: "status"},
		jobstore.Outcome{State: jobstore.DeliveryFailed, Disable: true}))
	for _, change := range []jobstore.WebhookChange{
		{Name: new("x")}, {URL: new("https://other.example/")}, {Events: &[]webhook.Type{webhook.BatchFailed}}, {UnmaskedAbove: new(4)},
		{Enabled: new(false)}, // it is disabled, and why stays
	} {
		if err := store.ChangeWebhook(t.Context(), w.OwnerID, w.ID, change); err != nil {
			t.Fatal(err)
		}
	}
	got, err := store.FindWebhook(t.Context(), w.OwnerID, w.ID)
	if err != nil || got.DisabledAt.IsZero() || got.DisabledWhy != jobstore.DisabledAsGone {
		t.Errorf("it is disabled at %v, %q, %v; want as gone", got.DisabledAt, got.DisabledWhy, err)
	}
	if got.Name != "x" || got.URL != "https://other.example/" || !slices.Equal(got.Rule.Events, []webhook.Type{webhook.BatchFailed}) ||
		got.Rule.UnmaskedAbove != 4 || got.Secret != w.Secret {
		t.Errorf("got %+v", got)
	}
	if err := store.ChangeWebhook(t.Context(), w.OwnerID, w.ID, jobstore.WebhookChange{Enabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	if got, err = store.FindWebhook(t.Context(), w.OwnerID, w.ID); err != nil || !got.DisabledAt.IsZero() || got.DisabledWhy != "" {
		t.Errorf("enabled again: %+v, %v", got, err)
	}
}

func TestWebhookIsMadeDisabled(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	w := newWebhook(t, store, testenv.Owner(t, store))
	w.ID, w.DisabledAt = newID(t), time.Now()
	if err := store.CreateWebhook(t.Context(), w, 10); err != nil {
		t.Fatal(err)
	}
	got, err := store.FindWebhook(t.Context(), w.OwnerID, w.ID)
	if err != nil || got.DisabledAt.IsZero() || got.DisabledWhy != jobstore.DisabledByOwner {
		t.Errorf("got %+v, %v", got, err)
	}
}
