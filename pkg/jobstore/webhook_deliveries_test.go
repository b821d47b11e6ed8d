package jobstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

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
	if claimed, err := store.ClaimDeliveries(t.Context(), first.ID, 1, far); err != nil || len(claimed) > 0 {
		t.Errorf("found due before it was disabled, it gave %+v, %v", claimed, err)
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
