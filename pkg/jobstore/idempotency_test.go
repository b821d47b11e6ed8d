package jobstore_test

import (
	"crypto/sha256"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func requestKey(t *testing.T, s *jobstore.Store, name string) jobstore.RequestKey {
	t.Helper()
	return jobstore.RequestKey{OwnerID: testenv.Owner(t, s), Hash: sha256.Sum256([]byte(name))}
}

func lockFor(d time.Duration) jobstore.RequestLock {
	return jobstore.RequestLock{Holder: uuid.New(), For: d}
}

func TestRequestIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	key, id, first := requestKey(t, store, "a"), newID(t), lockFor(time.Minute)
	begin := func(lock jobstore.RequestLock) (jobstore.KeptRequest, error) {
		return store.BeginRequest(t.Context(), key, newID(t), lock, time.Hour)
	}
	if r, err := store.BeginRequest(t.Context(), key, id, first, time.Hour); err != nil || r.ID != id || r.Again || r.Answer != nil {
		t.Fatalf("the first try: %+v, %v", r, err)
	}
	if _, err := begin(lockFor(time.Minute)); !errors.Is(err, jobstore.ErrRequestRunning) {
		t.Errorf("while it runs: %v", err)
	}
	print := sha256.Sum256([]byte("what was asked"))
	must(t)(store.AgreeOnRequest(t.Context(), key, first, print))
	must(t)(store.LeaveRequest(t.Context(), key, first))

	second := lockFor(time.Minute)
	if r, err := begin(second); err != nil || r.ID != id || !r.Again || string(r.Fingerprint) != string(print[:]) || r.Answer != nil {
		t.Fatalf("the second try: %+v, %v", r, err)
	}
	mustNot(t)(store.KeepRequest(t.Context(), key, first))
	mustNot(t)(store.AnswerRequest(t.Context(), key, first, jobstore.KeptAnswer{Status: 500}))
	want := jobstore.KeptAnswer{Status: 202, Header: map[string]string{"Location": "/v1/x"}, Body: []byte("{\x00\xff}")}
	must(t)(store.KeepRequest(t.Context(), key, second))
	must(t)(store.AnswerRequest(t.Context(), key, second, want))
	mustNot(t)(store.AnswerRequest(t.Context(), key, second, want))

	r, err := begin(lockFor(time.Minute))
	if err != nil || r.ID != id || r.Answer == nil {
		t.Fatalf("the third try: %+v, %v", r, err)
	}
	if diff := cmp.Diff(want, *r.Answer); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	other := requestKey(t, store, "a") // of somebody else
	if r, err := store.BeginRequest(t.Context(), other, newID(t), first, time.Hour); err != nil || r.Again {
		t.Errorf("another account's: %+v, %v", r, err)
	}
}

func TestRequestOfADeadProcessIsResumed(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	key, id := requestKey(t, store, "a"), newID(t)
	dead := lockFor(time.Microsecond)
	if _, err := store.BeginRequest(t.Context(), key, id, dead, time.Hour); err != nil {
		t.Fatal(err)
	}
	if r, err := store.BeginRequest(t.Context(), key, newID(t), lockFor(time.Minute), time.Hour); err != nil || r.ID != id || !r.Again {
		t.Errorf("resumed as %+v, %v", r, err)
	}
	mustNot(t)(store.AgreeOnRequest(t.Context(), key, dead, [32]byte{}))
}

func TestOldRequestsAreForgotten(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	key, lock, id := requestKey(t, store, "a"), lockFor(time.Minute), newID(t)
	if _, err := store.BeginRequest(t.Context(), key, newID(t), lock, time.Hour); err != nil {
		t.Fatal(err)
	}
	if n, err := store.SweepRequests(t.Context(), 0, 10); n != 0 || err != nil {
		t.Errorf("swept %d while it runs, %v", n, err)
	}
	must(t)(store.AnswerRequest(t.Context(), key, lock, jobstore.KeptAnswer{Status: 200}))
	if r, err := store.BeginRequest(t.Context(), key, id, lock, 0); err != nil || r.Again || r.ID != id {
		t.Errorf("after its time: %+v, %v", r, err)
	}
	must(t)(store.LeaveRequest(t.Context(), key, lock))
	if n, err := store.SweepRequests(t.Context(), time.Hour, 10); n != 0 || err != nil {
		t.Errorf("swept %d that is young, %v", n, err)
	}
	if n, err := store.SweepRequests(t.Context(), 0, 10); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
}

func TestOneOfManyTriesHoldsTheRequest(t *testing.T) {
	t.Parallel()
	_, store := open(t)
	key := requestKey(t, store, "a")
	var tries sync.WaitGroup
	var held atomic.Int32
	for range 8 {
		tries.Go(func() {
			_, err := store.BeginRequest(t.Context(), key, uuid.New(), lockFor(time.Minute), time.Hour)
			if err == nil {
				held.Add(1)
			} else if !errors.Is(err, jobstore.ErrRequestRunning) {
				t.Error(err)
			}
		})
	}
	tries.Wait()
	if held.Load() != 1 {
		t.Errorf("%d tries hold it", held.Load())
	}
}
