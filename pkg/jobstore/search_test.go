package jobstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// failed stores a photo that failed with the code under the model.
func failed(t *testing.T, s *jobstore.Store, code job.Code, model job.Model) job.Photo {
	t.Helper()
	p := accept(t, s)
	fence := mustClaim(t, s, p.ID, 1)
	must(t)(s.Fail(t.Context(), p.ID, fence, &job.Failure{Code: code, Model: model}))
	return find(t, s, p.ID)
}

func TestSearchRestrictsByEveryField(t *testing.T) {
	t.Parallel()
	_, s := open(t)
	before := time.Now().Add(-time.Minute)
	waiting := accept(t, s)
	done := accept(t, s)
	must(t)(s.Finish(t.Context(), done.ID, mustClaim(t, s, done.ID, 1), job.Result{Faces: []job.Face{{Label: job.LabelMasked}}}))
	three, four := job.Model{Name: "maskfleet", Version: "3"}, job.Model{Name: "maskfleet", Version: "4"}
	crashed := failed(t, s, job.CodeDecoderCrashed, three)
	other := failed(t, s, job.CodeInternal, four)
	if crashed.Failure.Model != three {
		t.Errorf("the failure is of the model %+v", crashed.Failure.Model)
	}
	aside := failed(t, s, job.CodeInternal, four)
	if n, err := s.Discard(t.Context(), []job.ID{aside.ID, waiting.ID}); n != 1 || err != nil {
		t.Errorf("discarded %d, %v, want the one that failed", n, err)
	}
	if n, err := s.Discard(t.Context(), []job.ID{aside.ID}); n != 0 || err != nil {
		t.Errorf("discarded %d again, %v", n, err)
	}
	gone := accept(t, s)
	must(t)(s.Delete(t.Context(), gone.ID))
	all := []job.Photo{aside, other, crashed, done, waiting}
	for name, c := range map[string]struct {
		search jobstore.Search
		want   []job.Photo
	}{
		"nothing":         {jobstore.Search{}, all},
		"limit":           {jobstore.Search{Limit: 2}, all[:2]},
		"page":            {jobstore.Search{Before: crashed.ID}, all[3:]},
		"ids":             {jobstore.Search{IDs: []job.ID{waiting.ID, gone.ID}}, []job.Photo{waiting}},
		"owner":           {jobstore.Search{OwnerID: done.OwnerID}, []job.Photo{done}},
		"batch":           {jobstore.Search{BatchID: uuid.New()}, nil},
		"state":           {jobstore.Search{State: job.StateQueued}, []job.Photo{waiting}},
		"lane":            {jobstore.Search{Lane: job.LaneBatch}, nil},
		"category":        {jobstore.Search{Category: job.CategoryAllMasked}, []job.Photo{done}},
		"code":            {jobstore.Search{Code: job.CodeInternal}, []job.Photo{aside, other}},
		"model":           {jobstore.Search{Model: job.Model{Name: "maskfleet"}}, []job.Photo{aside, other, crashed}},
		"model's version": {jobstore.Search{Model: three}, []job.Photo{crashed}},
		"dead":            {jobstore.Search{Dead: true}, []job.Photo{other, crashed}},
		"from":            {jobstore.Search{From: before}, all},
		"to":              {jobstore.Search{To: before}, nil},
	} {
		if c.search.Limit == 0 {
			c.search.Limit = 100
		}
		photos, err := s.SearchPhotos(t.Context(), c.search)
		if err != nil {
			t.Fatal(err)
		}
		var got []job.ID
		for _, p := range photos {
			got = append(got, p.ID)
		}
		var want []job.ID
		for _, p := range c.want {
			want = append(want, p.ID)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		ids, err := s.SearchIDs(t.Context(), jobstore.Search{IDs: got, Limit: 100, State: c.search.State})
		if slices.Reverse(want); len(want) > 0 && (err != nil || cmp.Diff(want, ids) != "") {
			t.Errorf("%s: ids are %v, %v, want the oldest first", name, ids, err)
		}
	}
}

func TestDeadGroups(t *testing.T) {
	t.Parallel()
	_, s := open(t)
	model := job.Model{Name: "maskfleet", Version: "3"}
	first := failed(t, s, job.CodeInternal, model)
	last := failed(t, s, job.CodeInternal, model)
	single := failed(t, s, job.CodeFetchStatus, job.Model{})
	if _, err := s.Discard(t.Context(), []job.ID{failed(t, s, job.CodeInternal, model).ID}); err != nil {
		t.Fatal(err)
	}
	got, err := s.DeadGroups(t.Context())
	want := []jobstore.DeadGroup{
		{Reason: job.CodeInternal, Model: model, Photos: 2, Oldest: first.DoneAt, Newest: last.DoneAt},
		{Reason: job.CodeFetchStatus, Photos: 1, Oldest: single.DoneAt, Newest: single.DoneAt},
	}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	must(t)(s.Redrive(t.Context(), first.ID, time.Hour, job.LaneCanary))
	again := find(t, s, first.ID)
	if again.Lane != job.LaneCanary || again.Row.Due || again.Failure != nil {
		t.Errorf("re-driven: %+v", again)
	}
	if got, err = s.DeadGroups(t.Context()); err != nil || len(got) != 2 || got[0].Photos != 1 {
		t.Errorf("after the re-drive: %+v, %v", got, err)
	}
}

func TestUsernames(t *testing.T) {
	t.Parallel()
	_, s := open(t)
	p := accept(t, s)
	u, err := s.FindUser(t.Context(), p.OwnerID)
	if err != nil {
		t.Fatal(err)
	}
	names, err := s.Usernames(t.Context(), []uuid.UUID{p.OwnerID, uuid.New()})
	if diff := cmp.Diff(map[uuid.UUID]string{p.OwnerID: u.Username}, names); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
