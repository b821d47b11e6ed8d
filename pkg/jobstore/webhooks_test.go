package jobstore_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
	"maskfleet/pkg/webhook"
)

// newWebhook stores an endpoint of the owner; without events it wants all.
func newWebhook(tb testing.TB, s *jobstore.Store, owner uuid.UUID, events ...webhook.Type) jobstore.Webhook {
	tb.Helper()
	if len(events) == 0 {
		events = webhook.Types()
	}
	w := jobstore.Webhook{
		ID: newID(tb), OwnerID: owner, URL: "https://receiver.example/hooks", Name: "gate – früh",
		Rule: webhook.Rule{Events: events}, Secret: webhook.NewSecret(), CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	if err := s.CreateWebhook(tb.Context(), w, 10); err != nil {
		tb.Fatal(err)
	}
	return w
}

func deliveries(tb testing.TB, s *jobstore.Store, w jobstore.Webhook) []jobstore.Delivery {
	tb.Helper()
	all, err := s.ListDeliveries(tb.Context(), jobstore.DeliveryFilter{WebhookID: w.ID, Limit: 100})
	if err != nil {
		tb.Fatal(err)
	}
	return all
}

// eventsOf gives the types of an endpoint's deliveries in alphabetical order.
func eventsOf(tb testing.TB, s *jobstore.Store, w jobstore.Webhook) []webhook.Type {
	tb.Helper()
	types := []webhook.Type{}
	for _, d := range deliveries(tb, s, w) {
		types = append(types, d.Event.Type)
	}
	slices.Sort(types)
	return types
}

func wantEvents(tb testing.TB, s *jobstore.Store, w jobstore.Webhook, want ...webhook.Type) {
	tb.Helper()
	slices.Sort(want)
	if got := eventsOf(tb, s, w); !slices.Equal(got, want) {
		tb.Fatalf("got %v, want %v", got, want)
	}
}

func mustClaimDelivery(tb testing.TB, s *jobstore.Store, w jobstore.Webhook) jobstore.Delivery {
	tb.Helper()
	claimed, err := s.ClaimDeliveries(tb.Context(), w.ID, 1, far)
	if err != nil || len(claimed) != 1 {
		tb.Fatalf("claimed %d, %v; want 1", len(claimed), err)
	}
	return claimed[0]
}

func TestWebhookIsFoundAsItWasGiven(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ann, bob := testenv.Owner(t, store), testenv.Owner(t, store)
	want := newWebhook(t, store, ann, webhook.BatchCompleted, webhook.AlertUnmasked)
	got, err := store.FindWebhook(t.Context(), ann, want.ID)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("%v (-want +got):\n%s", err, diff)
	}
	want.URL, want.Name, want.Rule = "http://other.example/", "", webhook.Rule{Events: []webhook.Type{webhook.BatchFailed}, UnmaskedAbove: 3}
	change := jobstore.WebhookChange{URL: &want.URL, Name: &want.Name, Events: &want.Rule.Events, UnmaskedAbove: &want.Rule.UnmaskedAbove}
	if err := store.ChangeWebhook(t.Context(), ann, want.ID, change); err != nil {
		t.Fatal(err)
	}
	if all, err := store.ListWebhooks(t.Context(), ann); err != nil || len(all) != 1 || cmp.Diff(want, all[0]) != "" {
		t.Errorf("got %+v, %v", all, err)
	}

	// What is Ann's does not exist for Bob.
	_, findErr := store.FindWebhook(t.Context(), bob, want.ID)
	for doing, err := range map[string]error{
		"finding": findErr, "changing": store.ChangeWebhook(t.Context(), bob, want.ID, change), "deleting": store.DeleteWebhook(t.Context(), bob, want.ID),
		"rotating": store.RotateWebhookSecret(t.Context(), bob, want.ID, newID(t), webhook.NewSecret(), time.Hour),
	} {
		if !errors.Is(err, jobstore.ErrNotFound) {
			t.Errorf("%s another's: %v", doing, err)
		}
	}
	if all, err := store.ListWebhooks(t.Context(), bob); err != nil || len(all) > 0 {
		t.Errorf("Bob sees %+v, %v", all, err)
	}
	if got, err = store.FindWebhook(t.Context(), ann, want.ID); err != nil || cmp.Diff(want, got) != "" {
		t.Errorf("Bob changed it: %+v, %v", got, err)
	}
	if err := store.DeleteWebhook(t.Context(), ann, want.ID); err != nil {
		t.Fatal(err)
	}
	if err := store.DeleteWebhook(t.Context(), ann, want.ID); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("deleting twice: %v", err)
	}
}

func TestWebhooksAreBounded(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner := testenv.Owner(t, store)
	first := newWebhook(t, store, owner)
	for most, want := range map[int]error{1: jobstore.ErrTooManyWebhooks, 2: nil} {
		w := first
		w.ID = newID(t)
		if err := store.CreateWebhook(t.Context(), w, most); !errors.Is(err, want) {
			t.Errorf("the second of %d: %v", most, err)
		}
	}
}

func TestSecretsRotate(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	w := newWebhook(t, store, testenv.Owner(t, store))
	rotate := func(keep time.Duration) string {
		secret := webhook.NewSecret()
		if err := store.RotateWebhookSecret(t.Context(), w.OwnerID, w.ID, newID(t), secret, keep); err != nil {
			t.Fatal(err)
		}
		return secret
	}
	wantSecrets := func(want ...string) {
		t.Helper()
		got, err := store.FindWebhook(t.Context(), w.OwnerID, w.ID)
		if err != nil || !slices.Equal(got.Secrets(), want) || got.PreviousUntil.IsZero() != (len(want) == 1) {
			t.Errorf("got %v until %v, %v; want %v", got.Secrets(), got.PreviousUntil, err, want)
		}
	}
	wantSecrets(w.Secret)
	second := rotate(time.Hour)
	wantSecrets(second, w.Secret)
	third := rotate(time.Hour)
	wantSecrets(third, second)
	wantSecrets(rotate(-time.Second)) // its predecessor's time is over
}

// TestEndOfAPhotoIsWrittenDown: with the end, for who wants it, and for nobody else.
func TestEndOfAPhotoIsWrittenDown(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	unmasked := job.Result{Faces: []job.Face{{Label: job.LabelUnmasked}, {Label: job.LabelIncorrect}, {Label: job.LabelMasked}}}

	photo := accept(t, store)
	all := newWebhook(t, store, photo.OwnerID)
	alarmed := newWebhook(t, store, photo.OwnerID, webhook.AlertUnmasked)
	calm := newWebhook(t, store, photo.OwnerID, webhook.AlertUnmasked)
	deaf := newWebhook(t, store, photo.OwnerID)
	for w, change := range map[uuid.UUID]jobstore.WebhookChange{calm.ID: {UnmaskedAbove: new(2)}, deaf.ID: {Enabled: new(false)}} {
		if err := store.ChangeWebhook(t.Context(), photo.OwnerID, w, change); err != nil {
			t.Fatal(err)
		}
	}
	stranger := newWebhook(t, store, testenv.Owner(t, store))

	fence := mustClaim(t, store, photo.ID, 1)
	mustNot(t)(store.Finish(t.Context(), photo.ID, fence+1, unmasked)) // a loser tells nobody
	wantEvents(t, store, all)
	must(t)(store.Finish(t.Context(), photo.ID, fence, unmasked))
	mustNot(t)(store.Finish(t.Context(), photo.ID, fence, unmasked))

	wantEvents(t, store, all, webhook.DetectionCompleted, webhook.AlertUnmasked)
	wantEvents(t, store, alarmed, webhook.AlertUnmasked)
	wantEvents(t, store, calm)
	wantEvents(t, store, deaf)
	wantEvents(t, store, stranger)

	alert := deliveries(t, store, alarmed)[0]
	want := webhook.Event{
		Type: webhook.AlertUnmasked, At: alert.CreatedAt, Subject: photo.ID, Status: "succeeded", Run: 1, NumFaces: 3, NumUnmasked: 2,
	}
	if diff := cmp.Diff(want, alert.Event); diff != "" || alert.State != jobstore.DeliveryWaiting || alert.DueAt.IsZero() {
		t.Errorf("%+v (-want +got):\n%s", alert, diff)
	}
	if same, err := store.FindDelivery(t.Context(), all.ID, alert.ID); err != nil || same.Event.Type != webhook.AlertUnmasked {
		t.Errorf("one event has two ids: %+v, %v", same, err)
	}
}

// TestEveryEndOfAPhotoIsTold: each way to fail, and each end after a retry anew.
func TestEveryEndOfAPhotoIsTold(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	photo := accept(t, store)
	w := newWebhook(t, store, photo.OwnerID)

	must(t)(store.Fail(t.Context(), photo.ID, mustClaim(t, store, photo.ID, 1), job.Fail(job.CodeDecodeFailed, nil)))
	wantEvents(t, store, w, webhook.DetectionFailed)
	must(t)(store.Reopen(t.Context(), photo.ID))
	must(t)(store.Expire(t.Context(), photo.ID))
	wantEvents(t, store, w, webhook.DetectionFailed, webhook.DetectionFailed)
	must(t)(store.Reopen(t.Context(), photo.ID))
	must(t)(store.Finish(t.Context(), photo.ID, mustClaim(t, store, photo.ID, 3), masked()))
	wantEvents(t, store, w, webhook.DetectionFailed, webhook.DetectionFailed, webhook.DetectionCompleted)

	cancelled := photo
	cancelled.ID = newID(t)
	if err := store.Accept(t.Context(), cancelled); err != nil {
		t.Fatal(err)
	}
	must(t)(store.Cancel(t.Context(), cancelled.ID))
	if got := eventsOf(t, store, w); len(got) != 3 {
		t.Errorf("got %v", got)
	}
}

// TestEndOfABatchIsWrittenDown once for each run, by whoever brings it about.
func TestEndOfABatchIsWrittenDown(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner := testenv.Owner(t, store)
	w := newWebhook(t, store, owner, webhook.BatchCompleted, webhook.BatchFailed, webhook.BatchCancelled, webhook.BatchExpired)

	b := expanded(t, store, owner, 2)
	for line := range 2 {
		id := job.ItemID(b.ID, line+1)
		must(t)(store.Fail(t.Context(), id, mustClaim(t, store, id, 1), job.Fail(job.CodeWorkerLost, nil)))
		sweep(t, store)
	}
	wantEvents(t, store, w, webhook.BatchCompleted)
	if items, err := store.RetryBatch(t.Context(), b.ID); err != nil || items != 2 {
		t.Fatalf("queued %d anew, %v", items, err)
	}
	for line := range 2 {
		id := job.ItemID(b.ID, line+1)
		must(t)(store.Finish(t.Context(), id, mustClaim(t, store, id, 2), masked()))
		sweep(t, store)
		sweep(t, store)
	}
	wantEvents(t, store, w, webhook.BatchCompleted, webhook.BatchCompleted)
	for i, d := range deliveries(t, store, w) {
		if d.Event.Subject != b.ID || d.Event.Run != 2-i || d.Event.Status != "completed" {
			t.Errorf("got %+v", d.Event)
		}
	}

	must(t)(store.CancelBatch(t.Context(), expanded(t, store, owner, 1).ID))
	wantEvents(t, store, w, webhook.BatchCompleted, webhook.BatchCompleted, webhook.BatchCancelled)

	short := newBatch(t, owner)
	short.Window = time.Microsecond
	if err := store.CreateBatch(t.Context(), short); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := store.LeaseExpansion(t.Context(), expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	must(t)(store.AddItems(t.Context(), short.ID, expander, itemsOf(short, 1, 1)))
	must(t)(store.Expanded(t.Context(), short.ID, expander))
	sweep(t, store)
	wantEvents(t, store, w, webhook.BatchCompleted, webhook.BatchCompleted, webhook.BatchCancelled, webhook.BatchExpired)

	refused := newBatch(t, owner)
	if err := store.CreateBatch(t.Context(), refused); err != nil {
		t.Fatal(err)
	}
	if _, ok, err := store.LeaseExpansion(t.Context(), expander, far); err != nil || !ok {
		t.Fatal(ok, err)
	}
	must(t)(store.RefuseBatch(t.Context(), refused.ID, expander, &job.BatchFailure{Code: job.BatchCodeNoItems}))
	wantEvents(t, store, w, webhook.BatchCompleted, webhook.BatchCompleted, webhook.BatchCancelled, webhook.BatchExpired, webhook.BatchFailed)
}

// TestItemKnowsItsBatch: who hears of an item can tell which it is.
func TestItemKnowsItsBatch(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner := testenv.Owner(t, store)
	w := newWebhook(t, store, owner, webhook.DetectionCompleted)
	b := expanded(t, store, owner, 1)
	id := job.ItemID(b.ID, 1)
	must(t)(store.Finish(t.Context(), id, mustClaim(t, store, id, 1), masked()))
	if e := deliveries(t, store, w)[0].Event; e.BatchID != b.ID || e.CustomID != "gate-1" || e.Subject != id {
		t.Errorf("got %+v", e)
	}
}
