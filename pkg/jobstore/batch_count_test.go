package jobstore_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

// TestEveryTransitionCountsInTheBatch lets every event happen to every row that can
// exist, each in a batch of its own, and wants the batch to wait for what is open.
func TestEveryTransitionCountsInTheBatch(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	db := rawDB(t, config)
	owner := testenv.Owner(t, store)
	for _, line := range job.Table() {
		do, inputs := deedOf(line.Event)
		var all []situation
		for _, row := range rows() {
			if !row.Confirmed || row.DeadLetter { // nothing that counting can depend on
				continue
			}
			for _, in := range inputs {
				all = append(all, situation{id: newID(t), row: row, in: in})
			}
		}
		insertRows(t, db, owner, all)
		for _, at := range all {
			inBatchOfItsOwn(t, db, owner, at)
			after, changed := job.Apply(at.row, line.Event, at.in)
			want := 0
			if at.row.Open() {
				want = 1
			}
			if changed && line.Items != nil {
				want += line.Items(at.row)
			}
			if after.Open() != (want == 1) {
				t.Fatalf("%s on %+v: the table counts %d open", line.Event, at.row, want)
			}
			if got, err := do(t.Context(), store, at); err != nil || got != changed {
				t.Errorf("%s on %+v with %+v: changed %t, %v", line.Event, at.row, at.in, got, err)
			}
			if got := findBatch(t, store, at.id); got.Counts.Remaining != want {
				t.Errorf("%s on %+v with %+v: the batch waits for %d, want %d", line.Event, at.row, at.in, got.Counts.Remaining, want)
			}
		}
	}
}

// inBatchOfItsOwn makes a batch of the photo's id, that knows its state.
func inBatchOfItsOwn(t *testing.T, db *sql.DB, owner uuid.UUID, at situation) {
	t.Helper()
	state := job.BatchInProgress
	is := func(s job.State) bool { return at.row.State == s && !at.row.Open() && !at.row.Deleted }
	succeeded := at.row.State == job.StateSucceeded
	_, err := db.ExecContext(t.Context(), `
		INSERT INTO batches (id, owner_id, source, source_key, prefix, trace_parent, created_at, window_us, state, touched_at, expires_at,
			total, remaining, succeeded, no_faces, failed, expired, cancelled)
		VALUES (?, ?, 'manifest', '', '', '', UTC_TIMESTAMP(6), 1, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), 1, ?, ?, ?, ?, ?, ?)`,
		at.id[:], owner[:], state, at.row.Open(), succeeded, succeeded, is(job.StateFailed), is(job.StateExpired),
		!at.row.Open() && !succeeded && !is(job.StateFailed) && !is(job.StateExpired))
	if err == nil {
		_, err = db.ExecContext(t.Context(), `UPDATE photos SET batch_id = ?, batch_line = 1 WHERE id = ?`, at.id[:], at.id[:])
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestItemsEndAtOnce: everybody ends the items of one batch at the same time, some
// twice, while it is being cancelled.
func TestItemsEndAtOnce(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	const items = 120
	b := expanded(t, store, testenv.Owner(t, store), items)
	finished := together(12, func(i int) (n int) {
		if i == 0 {
			if _, err := store.CancelBatch(ctx, b.ID); err != nil {
				t.Error(err)
			}
			return 0
		}
		for line := i%6 + 1; line <= items; line += 6 {
			p, refusal, _, err := store.Claim(ctx, job.ItemID(b.ID, line), 1, "worker", far)
			if err != nil {
				t.Error(err)
			}
			if refusal != job.RefusedNone {
				continue
			}
			changed, err := store.Finish(ctx, p.ID, p.Row.Fence, masked())
			if err != nil {
				t.Error(err)
			}
			if changed {
				n++
			}
		}
		return n
	})
	succeeded := 0
	for _, n := range finished {
		succeeded += n
	}
	sweep(t, store)
	wantBatch(t, store, b.ID, job.BatchCancelled, job.BatchCounts{
		Total: items, Succeeded: succeeded, Cancelled: items - succeeded, AllMasked: succeeded,
		Faces: job.Counts{Faces: succeeded, Masked: succeeded},
	})
	t.Logf("%d of %d finished before they were cancelled", succeeded, items)
}

// TestOutboxStandsWithTheEnd: whoever is told of an end stands in its transaction,
// and one that cannot note it takes the end back.
func TestOutboxStandsWithTheEnd(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	db := rawDB(t, config)
	if _, err := db.ExecContext(ctx, `CREATE TABLE told (batch BINARY(16) NULL, photo BINARY(16) NULL, state VARCHAR(16) NULL)`); err != nil {
		t.Fatal(err)
	}
	var refuse error
	store.TellOfEnds(
		func(ctx context.Context, tx *sql.Tx, id job.ID) error {
			_, err := tx.ExecContext(ctx, `INSERT INTO told (photo) VALUES (?)`, id[:])
			return err
		},
		func(ctx context.Context, tx *sql.Tx, b job.Batch) error {
			if _, err := tx.ExecContext(ctx, `INSERT INTO told (batch, state) VALUES (?, ?)`, b.ID[:], b.State); err != nil {
				return err
			}
			return refuse
		})
	told := func() (photos, batches int) {
		t.Helper()
		if err := db.QueryRowContext(ctx, `SELECT COUNT(photo), COUNT(batch) FROM told`).Scan(&photos, &batches); err != nil {
			t.Fatal(err)
		}
		return photos, batches
	}
	b := expanded(t, store, testenv.Owner(t, store), 1)
	id := job.ItemID(b.ID, 1)
	must(t)(store.Finish(ctx, id, mustClaim(t, store, id, 1), masked()))
	refuse = errors.New("no room")
	if err := store.SweepBatches(ctx, 10); !errors.Is(err, refuse) {
		t.Errorf("got %v", err)
	}
	if photos, batches := told(); photos != 1 || batches != 0 {
		t.Errorf("told of %d photos and %d batches, want 1 and 0", photos, batches)
	}
	if got := findBatch(t, store, b.ID); got.State != job.BatchFinalizing {
		t.Errorf("the batch is %s", got.State)
	}
	refuse = nil
	sweep(t, store)
	sweep(t, store)
	if photos, batches := told(); photos != 1 || batches != 1 {
		t.Errorf("told of %d photos and %d batches, want 1 and 1", photos, batches)
	}
	cancelled := expanded(t, store, b.OwnerID, 5)
	must(t)(store.CancelBatch(ctx, cancelled.ID))
	if _, batches := told(); batches != 2 {
		t.Errorf("told of %d batches, want 2", batches)
	}
}
