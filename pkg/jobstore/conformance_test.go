package jobstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// The row protocol is written twice: as job.Table, which the crash walk has proved,
// and as SQL. This test puts every row that can exist into MariaDB, lets every
// event happen to it, and wants the same from both.

const (
	myPublication = 3
	myFence       = 7
	far           = time.Hour // from now, for what must not come while a test runs
)

// situation is a row to which an event happens.
type situation struct {
	id  job.ID
	row job.Row
	in  job.Input
}

// deed lets an event happen to the photo in the database.
type deed func(context.Context, *jobstore.Store, situation) (changed bool, err error)

// deedOf is the method of the store for a line of the table, and what its caller
// may know or wrongly believe.
func deedOf(e job.Event) (deed, []job.Input) {
	byPublication := func(method func(*jobstore.Store, context.Context, job.ID, int) (bool, error)) (deed, []job.Input) {
		return func(ctx context.Context, s *jobstore.Store, at situation) (bool, error) {
			return method(s, ctx, at.id, at.in.Publication)
		}, publications()
	}
	byFence := func(method func(*jobstore.Store, context.Context, job.ID, int) (bool, error)) (deed, []job.Input) {
		return func(ctx context.Context, s *jobstore.Store, at situation) (bool, error) {
			return method(s, ctx, at.id, at.in.Fence)
		}, fences()
	}
	withFailure := func(method func(*jobstore.Store, context.Context, job.ID, int, *job.Failure) (bool, error)) (deed, []job.Input) {
		return func(ctx context.Context, s *jobstore.Store, at situation) (bool, error) {
			return method(s, ctx, at.id, at.in.Fence, &job.Failure{Code: job.CodeInternal, SlotDeath: at.in.SlotDeath})
		}, slices.Concat(fences(), slotDeaths(fences()))
	}
	byAnyone := func(method func(*jobstore.Store, context.Context, job.ID) (bool, error)) (deed, []job.Input) {
		return func(ctx context.Context, s *jobstore.Store, at situation) (bool, error) {
			return method(s, ctx, at.id)
		}, []job.Input{{}}
	}
	switch e {
	case job.EventConfirm:
		return byPublication((*jobstore.Store).Confirm)
	case job.EventRepublish:
		return byPublication((*jobstore.Store).Republish)
	case job.EventClaim:
		return byPublication(claim)
	case job.EventExhaust:
		return byPublication((*jobstore.Store).Exhaust)
	case job.EventFinish:
		return byFence(func(s *jobstore.Store, ctx context.Context, id job.ID, fence int) (bool, error) {
			return s.Finish(ctx, id, fence, job.Result{Faces: []job.Face{{Label: job.LabelMasked}}})
		})
	case job.EventBackOff:
		return withFailure(func(s *jobstore.Store, ctx context.Context, id job.ID, fence int, f *job.Failure) (bool, error) {
			return s.BackOff(ctx, id, fence, f, far)
		})
	case job.EventDefer:
		return withFailure(func(s *jobstore.Store, ctx context.Context, id job.ID, fence int, f *job.Failure) (bool, error) {
			return s.Defer(ctx, id, fence, f, far)
		})
	case job.EventFail:
		return withFailure((*jobstore.Store).Fail)
	case job.EventRelease:
		return byFence((*jobstore.Store).Release)
	case job.EventRecover:
		return byPublication((*jobstore.Store).Recover)
	case job.EventAbandon:
		return byPublication((*jobstore.Store).Abandon)
	case job.EventDeadLetter:
		return byPublication((*jobstore.Store).MarkDeadLettered)
	case job.EventCancel:
		return byAnyone((*jobstore.Store).Cancel)
	case job.EventExpire:
		return byAnyone((*jobstore.Store).Expire)
	case job.EventReopen:
		return func(ctx context.Context, s *jobstore.Store, at situation) (bool, error) {
			if at.in.Later {
				return s.Redrive(ctx, at.id, far, job.LaneCanary)
			}
			return s.Reopen(ctx, at.id)
		}, []job.Input{{}, {Later: true}}
	case job.EventDelete:
		return byAnyone((*jobstore.Store).Delete)
	}
	return nil, nil
}

func publications() []job.Input {
	return []job.Input{{Publication: myPublication - 1}, {Publication: myPublication}, {Publication: myPublication + 1}}
}

func fences() []job.Input {
	return []job.Input{{Fence: myFence - 1}, {Fence: myFence}, {Fence: myFence + 1}}
}

func slotDeaths(inputs []job.Input) []job.Input {
	for i := range inputs {
		inputs[i].SlotDeath = true
	}
	return inputs
}

// claim adds to Claim what it says beside the row: the reason of a refusal, and the
// photo as it stands.
func claim(s *jobstore.Store, ctx context.Context, id job.ID, publication int) (bool, error) { //nolint:revive // the shape of a method expression
	p, refusal, wait, err := s.Claim(ctx, id, publication, "worker", far)
	if err != nil {
		return false, err
	}
	// A refused claim left the row alone, so the same reason must hold of it now. A
	// successful one may be repeated: a redelivery takes the fence at once.
	if want := job.Refuse(p.Row, job.Input{Publication: publication}); refusal != job.RefusedNone && refusal != want {
		return false, fmt.Errorf("refused as %q, want %q", refusal, want)
	}
	if early := refusal == job.RefusedEarly; early != (wait > 0) || wait > far {
		return false, fmt.Errorf("refused as %q with a wait of %v", refusal, wait)
	}
	if refusal == job.RefusedNone && (p.WorkerID != "worker" || p.ClaimedAt.IsZero() || p.LeaseOver.Sub(p.ClaimedAt) != far) {
		return false, fmt.Errorf("claimed by %q at %v until %v", p.WorkerID, p.ClaimedAt, p.LeaseOver)
	}
	return refusal == job.RefusedNone, nil
}

// rows gives every row that the protocol can lead to, as far as guards can tell
// rows apart.
func rows() (all []job.Row) {
	for _, state := range job.States() {
		for _, attempts := range []int{1, job.MaxAttempts - 1, job.MaxAttempts} {
			if state == job.StateQueued && attempts == job.MaxAttempts {
				continue // only a photo with attempts left may wait
			}
			for bits := range 1 << 5 {
				is := func(bit int) bool { return bits>>bit&1 == 1 }
				r := job.Row{
					State: state, Publication: myPublication, Fence: myFence, Attempts: attempts, SlotDeaths: 1,
					Confirmed: is(0), Due: is(1), Deleted: is(2),
					Leased: state == job.StateProcessing, LeaseOver: is(3), DeadLetter: is(4),
				}
				if (r.LeaseOver && !r.Leased) || (r.DeadLetter && state != job.StateFailed) {
					continue
				}
				all = append(all, r)
			}
		}
	}
	return all
}

func TestTransitionsConformToTheTable(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	db := rawDB(t, config)
	owner := testenv.Owner(t, store)
	for _, line := range job.Table() {
		t.Run(string(line.Event), func(t *testing.T) {
			t.Parallel()
			do, inputs := deedOf(line.Event)
			if do == nil {
				t.Fatal("the store has no method for this line of the table")
			}
			var all []situation
			for _, row := range rows() {
				for _, in := range inputs {
					all = append(all, situation{id: newID(t), row: row, in: in})
				}
			}
			insertRows(t, db, owner, all)
			changes := 0
			for _, at := range all {
				want, wantChanged := job.Apply(at.row, line.Event, at.in)
				changed, err := do(t.Context(), store, at)
				got := readRow(t, db, at.id)
				if diff := cmp.Diff(want, got); err != nil || changed != wantChanged || diff != "" {
					t.Errorf("%+v with %+v:\nchanged %t, %v; want %t; row (-want +got):\n%s",
						at.row, at.in, changed, err, wantChanged, diff)
				}
				if changed {
					changes++
				}
			}
			if changes == 0 || changes == len(all) && line.Event != job.EventDelete {
				t.Errorf("%d of %d situations changed the row: the test does not try both", changes, len(all))
			}
		})
	}
}

func TestClaimRefusesForTheReasonOfTheProtocol(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	db := rawDB(t, config)
	owner := testenv.Owner(t, store)
	var all []situation
	for _, row := range rows() {
		for _, in := range publications() {
			all = append(all, situation{id: newID(t), row: row, in: in})
		}
	}
	insertRows(t, db, owner, all)
	seen := map[job.Refusal]int{}
	for _, at := range all {
		after, _ := job.Apply(at.row, job.EventClaim, at.in)
		p, refusal, _, err := store.Claim(t.Context(), at.id, at.in.Publication, "worker", far)
		if want := job.Refuse(at.row, at.in); err != nil || refusal != want {
			t.Errorf("%+v with %+v: got %q, %v, want %q", at.row, at.in, refusal, err, want)
		}
		if diff := cmp.Diff(after, p.Row); diff != "" {
			t.Errorf("%+v with %+v gave another row (-want +got):\n%s", at.row, at.in, diff)
		}
		seen[refusal]++
	}
	if _, refusal, _, err := store.Claim(t.Context(), newID(t), 1, "worker", far); err != nil || refusal != job.RefusedUnknown {
		t.Errorf("without a row: got %q, %v, want %q", refusal, err, job.RefusedUnknown)
	}
	for _, r := range []job.Refusal{
		job.RefusedNone, job.RefusedGone, job.RefusedTerminal, job.RefusedSuperseded, job.RefusedEarly, job.RefusedExhausted,
	} {
		if seen[r] == 0 {
			t.Errorf("no situation led to %q", r)
		}
	}
}

func TestAcceptBeginsAsTheProtocolSays(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	p := accept(t, store)
	if diff := cmp.Diff(job.Accepted(), readRow(t, rawDB(t, config), p.ID)); diff != "" {
		t.Errorf("row after Accept (-want +got):\n%s", diff)
	}
}

// insertRows writes rows as they are, past the store and its transitions.
func insertRows(t *testing.T, db *sql.DB, owner uuid.UUID, all []situation) {
	t.Helper()
	const values = `(?, ?, 'interactive', 'upload', '', '', '', 0, 0, 0, '', '', UTC_TIMESTAMP(6), '', '', '', '',
		?, ?, ?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? HOUR,
		IF(?, UTC_TIMESTAMP(6) + INTERVAL ? HOUR, NULL),
		IF(?, UTC_TIMESTAMP(6), NULL), IF(?, UTC_TIMESTAMP(6), NULL), IF(?, UTC_TIMESTAMP(6), NULL))`
	sign := func(past bool) int {
		if past {
			return -1
		}
		return 1
	}
	for some := range slices.Chunk(all, 500) {
		var args []any
		for _, at := range some {
			r := at.row
			args = append(args, at.id[:], owner[:],
				r.State, r.Publication, r.Fence, r.Attempts, r.SlotDeaths, sign(r.Due),
				r.Leased, sign(r.LeaseOver), r.Confirmed, r.Deleted, r.DeadLetter)
		}
		_, err := db.ExecContext(t.Context(), `
			INSERT INTO photos (
				id, owner_id, lane, source, link, filename, content_type, bytes, width, height, sha256, trace_parent,
				created_at, worker_id, original_key, annotated_key, thumbnail_key,
				state, publication, fence, attempts, slot_deaths, touched_at, run_at,
				lease_until, confirmed_at, deleted_at, dead_lettered_at
			) VALUES `+strings.TrimSuffix(strings.Repeat(values+`,`, len(some)), `,`), args...)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// readRow reads what the protocol knows of a row, past the store's own reading.
func readRow(t *testing.T, db *sql.DB, id job.ID) (r job.Row) {
	t.Helper()
	var now, runAt time.Time
	var leaseUntil, confirmed, deleted, deadLettered sql.NullTime
	err := db.QueryRowContext(t.Context(), `
		SELECT state, publication, fence, attempts, slot_deaths,
			UTC_TIMESTAMP(6), run_at, lease_until, confirmed_at, deleted_at, dead_lettered_at
		FROM photos WHERE id = ?`, id[:]).
		Scan(&r.State, &r.Publication, &r.Fence, &r.Attempts, &r.SlotDeaths,
			&now, &runAt, &leaseUntil, &confirmed, &deleted, &deadLettered)
	if errors.Is(err, sql.ErrNoRows) {
		t.Fatalf("photo %s has no row", id)
	}
	if err != nil {
		t.Fatal(err)
	}
	r.Due = !runAt.After(now)
	r.Leased, r.LeaseOver = leaseUntil.Valid, leaseUntil.Valid && !leaseUntil.Time.After(now)
	r.Confirmed, r.Deleted, r.DeadLetter = confirmed.Valid, deleted.Valid, deadLettered.Valid
	return r
}
