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

// TestDeliveryIsClaimedOnce: of many doors that look at once, one gets each delivery,
// and none waits for another.
func TestDeliveryIsClaimedOnce(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	w := newWebhook(t, store, testenv.Owner(t, store))
	const all = 40
	for range all {
		if err := store.AddTestDelivery(t.Context(), w.ID, newID(t)); err != nil {
			t.Fatal(err)
		}
	}
	var claimed []uuid.UUID
	for _, some := range together(8, func(int) (ids []uuid.UUID) {
		for range all {
			some, err := store.ClaimDeliveries(t.Context(), w.ID, 3, far)
			if err != nil {
				t.Error(err)
			}
			for _, d := range some {
				ids = append(ids, d.ID)
			}
		}
		return ids
	}) {
		claimed = append(claimed, some...)
	}
	slices.SortFunc(claimed, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
	if distinct := slices.Compact(slices.Clone(claimed)); len(claimed) != all || len(distinct) != all {
		t.Errorf("%d claims of %d deliveries, want %d", len(claimed), len(distinct), all)
	}
}

// TestLostDeliveryIsDueAgain: who dies with it in hand, or is too late, counts as not
// having tried.
func TestLostDeliveryIsDueAgain(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	w := newWebhook(t, store, testenv.Owner(t, store))
	if err := store.AddTestDelivery(t.Context(), w.ID, newID(t)); err != nil {
		t.Fatal(err)
	}
	lost, err := store.ClaimDeliveries(t.Context(), w.ID, 1, -time.Microsecond)
	if err != nil || len(lost) != 1 {
		t.Fatalf("claimed %v, %v", lost, err)
	}
	again := mustClaimDelivery(t, store, w)
	if again.ID != lost[0].ID || again.Tries != 0 || again.Fence <= lost[0].Fence {
		t.Errorf("got %+v after %+v", again, lost[0])
	}
	done := jobstore.Outcome{State: jobstore.DeliveryDelivered}
	mustNot(t)(store.RecordAttempt(t.Context(), lost[0], jobstore.Attempt{At: time.Now()}, done))
	mustNot(t)(store.ReleaseDelivery(t.Context(), lost[0]))
	must(t)(store.ReleaseDelivery(t.Context(), again))
	must(t)(store.RecordAttempt(t.Context(), mustClaimDelivery(t, store, w), jobstore.Attempt{At: time.Now()}, done))
}

func TestAttemptsAreKept(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	w := newWebhook(t, store, testenv.Owner(t, store))
	if err := store.AddTestDelivery(t.Context(), w.ID, newID(t)); err != nil {
		t.Fatal(err)
	}
	at := time.Now().UTC().Truncate(time.Microsecond)
	attempts := []jobstore.Attempt{
		{Number: 1, At: at, Took: 12 * time.Millisecond, Status: 500, Answer: "überlastet 🙈", Fault: "status"},
		{Number: 2, At: at.Add(time.Second), Took: time.Second, Fault: "timeout"},
		{Number: 3, At: at.Add(time.Minute), Took: time.Millisecond, Status: 204},
	}
	outcomes := []jobstore.Outcome{{State: jobstore.DeliveryWaiting, Wait: 0}, {State: jobstore.DeliveryFailed}, {State: jobstore.DeliveryDelivered}}
	for i, o := range outcomes {
		d := mustClaimDelivery(t, store, w)
		if want := []int{0, 1, 0}[i]; d.Tries != want {
			t.Errorf("before try %d: %d tries, want %d", i+1, d.Tries, want)
		}
		must(t)(store.RecordAttempt(t.Context(), d, attempts[i], o))
		if o.State == jobstore.DeliveryFailed { // a person asks for it again
			if err := store.Redeliver(t.Context(), w.ID, d.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
	got := deliveries(t, store, w)[0]
	if diff := cmp.Diff(attempts, got.Attempts); diff != "" || got.State != jobstore.DeliveryDelivered || got.EndedAt.IsZero() || !got.DueAt.IsZero() {
		t.Errorf("%+v (-want +got):\n%s", got, diff)
	}
	waiting, err := store.ListDeliveries(t.Context(), jobstore.DeliveryFilter{WebhookID: w.ID, State: jobstore.DeliveryWaiting, Limit: 5})
	if err != nil || len(waiting) > 0 {
		t.Errorf("still waits: %+v, %v", waiting, err)
	}
	if claimed, err := store.ClaimDeliveries(t.Context(), w.ID, 1, far); err != nil || len(claimed) > 0 {
		t.Errorf("it is due after its end: %+v, %v", claimed, err)
	}
}

// TestWebhooksDue: not those that are disabled, nor those of a closed account.
func TestWebhooksDue(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	due := func() (ids []uuid.UUID) {
		t.Helper()
		all, err := store.WebhooksDue(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range all {
			ids = append(ids, w.ID)
		}
		return ids
	}
	first, second := newWebhook(t, store, testenv.Owner(t, store)), newWebhook(t, store, testenv.Owner(t, store))
	idle := newWebhook(t, store, first.OwnerID)
	for _, w := range []jobstore.Webhook{first, second} {
		if err := store.AddTestDelivery(t.Context(), w.ID, newID(t)); err != nil {
			t.Fatal(err)
		}
	}
	if got := due(); !slices.Equal(got, []uuid.UUID{first.ID, second.ID}) {
		t.Errorf("got %v, want all but %v", got, idle.ID)
	}
	if err := store.SetUserDisabled(t.Context(), second.OwnerID, true); err != nil {
		t.Fatal(err)
	}
	d := mustClaimDelivery(t, store, first)
	if got := due(); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	must(t)(store.RecordAttempt(t.Context(), d, jobstore.Attempt{At: time.Now(), Status: 410, Fault: "status"},
		jobstore.Outcome{State: jobstore.DeliveryFailed, Disable: true}))
	gone, err := store.FindWebhook(t.Context(), first.OwnerID, first.ID)
	if err != nil || gone.DisabledWhy != jobstore.DisabledAsGone || gone.DisabledAt.IsZero() {
		t.Fatalf("got %+v, %v", gone, err)
	}
	if err := store.Redeliver(t.Context(), first.ID, d.ID); err != nil {
		t.Fatal(err)
	}
	if got := due(); len(got) > 0 {
		t.Errorf("a disabled one is due: %v", got)
	}
	if err := store.ChangeWebhook(t.Context(), gone.OwnerID, gone.ID, jobstore.WebhookChange{Enabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	if got := due(); !slices.Equal(got, []uuid.UUID{first.ID}) {
		t.Errorf("enabled again: %v", got)
	}
}

// TestDeliveriesGo with their time, their endpoint, and their owner.
func TestDeliveriesGo(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	db := rawDB(t, config)
	left := func() (rows int) {
		t.Helper()
		err := db.QueryRowContext(t.Context(), `SELECT (SELECT COUNT(*) FROM webhook_deliveries) + (SELECT COUNT(*) FROM webhook_attempts)`).Scan(&rows)
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	w := newWebhook(t, store, testenv.Owner(t, store))
	add := func() {
		t.Helper()
		if err := store.AddTestDelivery(t.Context(), w.ID, newID(t)); err != nil {
			t.Fatal(err)
		}
		d := mustClaimDelivery(t, store, w)
		must(t)(store.RecordAttempt(t.Context(), d, jobstore.Attempt{At: time.Now()}, jobstore.Outcome{State: jobstore.DeliveryDelivered}))
	}
	add()
	if n, err := store.ForgetDeliveries(t.Context(), time.Hour); err != nil || n != 0 || left() != 2 {
		t.Errorf("forgot %d, %v; %d rows are left", n, err, left())
	}
	if n, err := store.ForgetDeliveries(t.Context(), -time.Second); err != nil || n != 1 || left() != 0 {
		t.Errorf("forgot %d, %v; %d rows are left", n, err, left())
	}
	add()
	if err := store.DeleteWebhook(t.Context(), w.OwnerID, w.ID); err != nil || left() != 0 {
		t.Errorf("%v; %d rows are left", err, left())
	}
	w = newWebhook(t, store, w.OwnerID)
	add()
	if _, err := db.ExecContext(t.Context(), `DELETE FROM users WHERE id = ?`, w.OwnerID[:]); err != nil || left() != 0 {
		t.Errorf("%v; %d rows are left", err, left())
	}
}
