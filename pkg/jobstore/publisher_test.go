package jobstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// aged makes what the database noted of a photo look older.
func aged(t *testing.T, c jobstore.Config, id job.ID, by time.Duration) {
	t.Helper()
	_, err := rawDB(t, c).ExecContext(t.Context(), `
		UPDATE photos SET touched_at = touched_at - INTERVAL ? MICROSECOND, run_at = run_at - INTERVAL ? MICROSECOND,
			confirmed_at = confirmed_at - INTERVAL ? MICROSECOND, lease_until = lease_until - INTERVAL ? MICROSECOND,
			finished_at = finished_at - INTERVAL ? MICROSECOND
		WHERE id = ?`, by.Microseconds(), by.Microseconds(), by.Microseconds(), by.Microseconds(), by.Microseconds(), id[:])
	if err != nil {
		t.Fatal(err)
	}
}

func idsOf(waiting []jobstore.Waiting) (ids []job.ID) {
	for _, w := range waiting {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestDueForPublication(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	fresh, unpublished, held, unseen, early, deleted := accept(t, store), accept(t, store), accept(t, store),
		accept(t, store), accept(t, store), accept(t, store)
	for _, p := range []job.Photo{held, unseen} {
		must(t)(store.Confirm(ctx, p.ID, 1))
	}
	must(t)(store.Defer(ctx, early.ID, mustClaim(t, store, early.ID, 1), job.Fail(job.CodeFetchStatus, nil), far))
	must(t)(store.Delete(ctx, deleted.ID))
	aged(t, config, unpublished.ID, 6*time.Second)
	aged(t, config, held.ID, 30*time.Second)
	aged(t, config, unseen.ID, 2*time.Minute)
	aged(t, config, early.ID, 10*time.Second)
	aged(t, config, deleted.ID, 10*time.Minute)

	look := func() (unconfirmed, lost []jobstore.Waiting) {
		t.Helper()
		unconfirmed, err := store.Unconfirmed(ctx, 5*time.Second, jobstore.Waiting{}, 10)
		if err != nil {
			t.Fatal(err)
		}
		if lost, err = store.Unseen(ctx, time.Minute, 10); err != nil {
			t.Fatal(err)
		}
		return unconfirmed, lost
	}
	unconfirmed, lost := look()
	if diff := cmp.Diff([][]job.ID{{unpublished.ID}, {unseen.ID}}, [][]job.ID{idsOf(unconfirmed), idsOf(lost)}); diff != "" {
		t.Fatalf("due (-want +got):\n%s", diff)
	}
	if got, want := unconfirmed[0].Message(2), job.NewMessage(unpublished, 2); got != want {
		t.Errorf("message: got %+v, want %+v", got, want)
	}
	if unconfirmed[0].Confirmed || !lost[0].Confirmed {
		t.Errorf("confirmed: got %t and %t, want false and true", unconfirmed[0].Confirmed, lost[0].Confirmed)
	}

	// Whoever looked after a photo has time to finish before the next one looks.
	must(t)(store.Republish(ctx, unpublished.ID, 1))
	must(t)(store.Confirm(ctx, unseen.ID, 1))
	if unconfirmed, lost := look(); len(unconfirmed)+len(lost) > 0 {
		t.Errorf("still due: %v, %v", unconfirmed, lost)
	}

	counts, oldest, err := store.Counts(ctx)
	if diff := cmp.Diff(map[job.State]int{job.StateQueued: 5}, counts); err != nil || diff != "" {
		t.Errorf("counts (-want +got), %v:\n%s", err, diff)
	}
	if oldest < 2*time.Minute || oldest > 3*time.Minute {
		t.Errorf("oldest wait: got %v, want that of the photo unseen for two minutes", oldest)
	}
	// fresh, unpublished and early
	if outside, err := store.WaitingOutsideBroker(ctx); err != nil || outside != 3 {
		t.Errorf("outside the broker: got %d, %v, want 3 with %s", outside, err, fresh.ID)
	}
}

// TestUnconfirmedPages: every photo stands on one page, also where many became due in
// the same moment.
func TestUnconfirmedPages(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	var want []job.ID
	for range 7 {
		want = append(want, accept(t, store).ID)
	}
	_, err := rawDB(t, config).ExecContext(t.Context(), `UPDATE photos SET run_at = '2026-01-02 03:04:05.000006' WHERE id BETWEEN ? AND ?`,
		want[1][:], want[5][:])
	if err != nil {
		t.Fatal(err)
	}
	want = append(slices.Clone(want[1:6]), want[0], want[6])
	var got []job.ID
	var last jobstore.Waiting
	for range len(want) {
		page, err := store.Unconfirmed(t.Context(), 0, last, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		got, last = append(got, idsOf(page)...), page[len(page)-1]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages (-want +got):\n%s", diff)
	}
}

func TestLeasesOver(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	alive, lost, deleted := accept(t, store), accept(t, store), accept(t, store)
	for _, p := range []job.Photo{alive, lost, deleted} {
		mustClaim(t, store, p.ID, 1)
	}
	must(t)(store.Delete(ctx, deleted.ID))
	aged(t, config, lost.ID, far+time.Second)
	aged(t, config, deleted.ID, far+time.Second)
	over, err := store.LeasesOver(ctx, 10)
	want := []jobstore.Waiting{{
		ID: lost.ID, Lane: lost.Lane, Publication: 1, Attempts: 1, WorkerID: "worker", TraceParent: lost.TraceParent, Confirmed: true,
	}}
	if diff := cmp.Diff(want, over, cmpopts.IgnoreFields(jobstore.Waiting{}, "RunAt")); err != nil || diff != "" {
		t.Fatalf("over (-want +got), %v:\n%s", err, diff)
	}
	must(t)(store.Recover(ctx, lost.ID, 1))
	if over, err := store.LeasesOver(ctx, 10); err != nil || len(over) != 0 {
		t.Errorf("still over: %v, %v", over, err)
	}
}

func TestDeadLettersDue(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	recent, old, marked, deleted := accept(t, store), accept(t, store), accept(t, store), accept(t, store)
	all := []job.Photo{recent, old, marked, deleted}
	for _, p := range all {
		must(t)(store.Fail(ctx, p.ID, mustClaim(t, store, p.ID, 1), &job.Failure{Code: job.CodeDecoderCrashed, SlotDeath: true}))
	}
	must(t)(store.MarkDeadLettered(ctx, marked.ID, 1))
	must(t)(store.Delete(ctx, deleted.ID))
	for _, p := range all[1:] {
		aged(t, config, p.ID, time.Minute)
	}
	due, err := store.DeadLettersDue(ctx, 30*time.Second, 10)
	want := []job.DeadLetter{{
		PhotoID: old.ID, Lane: old.Lane, Publication: 1, Reason: job.CodeDecoderCrashed,
		Message: job.Fail(job.CodeDecoderCrashed, nil).Message(), Attempts: 1, SlotDeaths: 1, WorkerID: "worker",
		FailedAt: time.Now().Add(-time.Minute), TraceParent: old.TraceParent,
	}}
	if diff := cmp.Diff(want, due, cmpopts.EquateApproxTime(30*time.Second)); err != nil || diff != "" {
		t.Errorf("dead letters (-want +got), %v:\n%s", err, diff)
	}
}

// TestPollsReadOnlyWhatIsDue: an hour's backlog that lies on the broker must cost those
// nothing who look for work every second, and no look makes the server write to disk.
func TestPollsReadOnlyWhatIsDue(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	unpublished := accept(t, store)
	aged(t, config, unpublished.ID, time.Minute)
	var backlog []situation
	for range 5000 {
		row := job.Accepted()
		row.Confirmed = true
		backlog = append(backlog, situation{id: newID(t), row: row})
	}
	db := rawDB(t, config)
	insertRows(t, db, unpublished.OwnerID, backlog)
	if _, err := db.ExecContext(t.Context(), `ANALYZE TABLE photos`); err != nil {
		t.Fatal(err)
	}

	newWebhook(t, store, unpublished.OwnerID)
	config.MaxConns = 1 // rows read are counted by session
	single, err := jobstore.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = single.Close() }()
	queries := map[string]func() error{
		"Unconfirmed": func() error {
			due, err := single.Unconfirmed(t.Context(), time.Second, jobstore.Waiting{}, 100)
			if len(due) != 1 {
				t.Errorf("due: got %d, want 1", len(due))
			}
			return err
		},
		"Unseen":               func() error { _, err := single.Unseen(t.Context(), time.Minute, 100); return err },
		"LeasesOver":           func() error { _, err := single.LeasesOver(t.Context(), 100); return err },
		"DeadLettersDue":       func() error { _, err := single.DeadLettersDue(t.Context(), 0, 100); return err },
		"PhotosToErase":        func() error { _, err := single.PhotosToErase(t.Context(), jobstore.Erasable{}, 100); return err },
		"WaitingOutsideBroker": func() error { _, err := single.WaitingOutsideBroker(t.Context()); return err },
		"WebhooksDue":          func() error { _, err := single.WebhooksDue(t.Context(), 100); return err },
	}
	for name, query := range queries {
		if err := query(); err != nil { // the first look of a session reads what is known of the tables, too
			t.Fatal(err)
		}
		onDisk, before := single.TablesOnDisk(t), single.RowsRead(t)
		if err := query(); err != nil {
			t.Fatal(err)
		}
		if reads := single.RowsRead(t) - before; reads > 20 {
			t.Errorf("%s read %d rows of a backlog of %d, of which it wants 1 at most", name, reads, len(backlog))
		}
		if n := single.TablesOnDisk(t) - onDisk; n > 0 {
			t.Errorf("%s had the server put %d tables on disk", name, n)
		}
	}
}

// TestPageOfUnconfirmedCostsWhatItGives: neither what is before a page nor what is
// after it may count, when the broker was away for an hour.
func TestPageOfUnconfirmedCostsWhatItGives(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	var backlog []situation
	for range 5000 {
		backlog = append(backlog, situation{id: newID(t), row: job.Accepted()})
	}
	db := rawDB(t, config)
	insertRows(t, db, accept(t, store).OwnerID, backlog)
	if _, err := db.ExecContext(t.Context(), `ANALYZE TABLE photos`); err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 1 // rows read are counted by session
	single, err := jobstore.Open(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = single.Close() }()
	var last jobstore.Waiting
	for page := range 10 {
		before := single.RowsRead(t)
		due, err := single.Unconfirmed(t.Context(), 0, last, 100)
		if err != nil || len(due) != 100 {
			t.Fatalf("page %d has %d photos, %v", page, len(due), err)
		}
		if reads := single.RowsRead(t) - before; reads > 250 {
			t.Errorf("page %d cost %d rows", page, reads)
		}
		last = due[len(due)-1]
	}
}
