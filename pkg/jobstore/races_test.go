package jobstore_test

import (
	"slices"
	"sync"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// together runs do many times at once and gives what each gave.
func together[T any](times int, do func(i int) T) []T {
	got := make([]T, times)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range times {
		all.Go(func() {
			<-start
			got[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return got
}

func count[T comparable](all []T, wanted T) (n int) {
	for _, one := range all {
		if one == wanted {
			n++
		}
	}
	return n
}

// TestClaimsAtOnce: a redelivery takes the fence at once, so many may claim the
// same publication; no two get the same fence, and no more than the attempts allow.
func TestClaimsAtOnce(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	for range 10 {
		p := accept(t, store)
		fences := together(16, func(int) int {
			claimed, refusal, _, err := store.Claim(t.Context(), p.ID, 1, "worker", far)
			switch {
			case err != nil:
				t.Error(err)
			case refusal == job.RefusedNone:
				return claimed.Row.Fence
			case refusal != job.RefusedExhausted:
				t.Errorf("refused as %q", refusal)
			}
			return 0
		})
		slices.Sort(fences)
		want := []int{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5}
		if !slices.Equal(fences, want) {
			t.Errorf("fences: got %v, want %v", fences, want)
		}
	}
}

func TestFinishesAtOnceGiveOneResult(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	for range 10 {
		p := accept(t, store)
		fences := []int{mustClaim(t, store, p.ID, 1), mustClaim(t, store, p.ID, 1)}
		changed := together(8, func(i int) bool {
			fence := fences[i%2]
			changed, err := store.Finish(t.Context(), p.ID, fence, job.Result{
				Model: job.Model{Name: "fence", Version: string(rune('0' + fence))}, Faces: make([]job.Face, fence),
			})
			if err != nil {
				t.Error(err)
			}
			return changed
		})
		if n := count(changed, true); n != 1 {
			t.Errorf("%d finishes changed the row, want 1", n)
		}
		got := find(t, store, p.ID).Result
		if got.Model.Version != "2" || len(got.Faces) != 2 {
			t.Errorf("the result is that of fence %s with %d faces, want 2 and 2", got.Model.Version, len(got.Faces))
		}
	}
}

// TestSleeperChangesNothing is a worker stopped past its lease, whose photo the
// publisher recovered and another worker finished.
func TestSleeperChangesNothing(t *testing.T) {
	t.Parallel()
	config, store := open(t)
	ctx := t.Context()
	p := accept(t, store)
	asleep := mustClaim(t, store, p.ID, 1)
	aged(t, config, p.ID, far*2)
	must(t)(store.Recover(ctx, p.ID, 1))

	stale := func() {
		t.Helper()
		f := job.Fail(job.CodeInternal, nil)
		before := readRow(t, rawDB(t, config), p.ID)
		mustNot(t)(store.Finish(ctx, p.ID, asleep, job.Result{Faces: make([]job.Face, 9)}))
		mustNot(t)(store.Fail(ctx, p.ID, asleep, f))
		mustNot(t)(store.BackOff(ctx, p.ID, asleep, f, 0))
		mustNot(t)(store.Defer(ctx, p.ID, asleep, f, 0))
		mustNot(t)(store.Release(ctx, p.ID, asleep))
		if _, refusal, _, err := store.Claim(ctx, p.ID, 1, "worker", far); err != nil || !slices.Contains(
			[]job.Refusal{job.RefusedSuperseded, job.RefusedTerminal}, refusal) {
			t.Errorf("the stale message was refused as %q, %v", refusal, err)
		}
		if after := readRow(t, rawDB(t, config), p.ID); after != before {
			t.Errorf("the row changed from %+v to %+v", before, after)
		}
	}
	stale() // while it waits
	fence := mustClaim(t, store, p.ID, 2)
	stale() // while another has it
	must(t)(store.Finish(ctx, p.ID, fence, job.Result{Faces: make([]job.Face, 2)}))
	stale() // once it is done
	if got := find(t, store, p.ID).Result; len(got.Faces) != 2 {
		t.Errorf("got %d faces, want those of the second worker", len(got.Faces))
	}
}

// TestEveryEventAtOnce lets everybody do everything to a few photos at once: locks
// are waited for, deadlocks retried, and no error comes out.
func TestEveryEventAtOnce(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	photos := []job.Photo{accept(t, store), accept(t, store)}
	together(16, func(i int) struct{} {
		for n := range 40 {
			p := photos[(i+n)%len(photos)]
			if err := anything(t, store, p.ID, i+n); err != nil {
				t.Error(err)
			}
		}
		return struct{}{}
	})
}

func anything(t *testing.T, s *jobstore.Store, id job.ID, n int) (err error) {
	ctx := t.Context()
	p, err := s.Find(ctx, id)
	if err != nil {
		return err
	}
	switch n % 6 {
	case 0:
		_, _, _, err = s.Claim(ctx, id, p.Row.Publication, "worker", far)
	case 1:
		_, err = s.Finish(ctx, id, p.Row.Fence, job.Result{Faces: make([]job.Face, 20)})
	case 2:
		_, err = s.BackOff(ctx, id, p.Row.Fence, job.Fail(job.CodeInternal, nil), 0)
	case 3:
		_, err = s.Republish(ctx, id, p.Row.Publication)
	case 4:
		_, err = s.Unconfirmed(ctx, 0, jobstore.Waiting{}, 10)
	case 5:
		_, err = s.Reopen(ctx, id)
	}
	return err
}

func TestCreateUserAtOnceGivesTheNameToOne(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	errs := together(8, func(int) error {
		return store.CreateUser(t.Context(), jobstore.User{ID: newID(t), Username: "gate", Role: "user", CreatedAt: someTime()})
	})
	if free, taken := count(errs, nil), count(errs, jobstore.ErrUsernameTaken); free != 1 || taken != 7 {
		t.Errorf("got %v, want one account and seven refusals", errs)
	}
}
