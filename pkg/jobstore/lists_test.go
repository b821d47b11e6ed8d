package jobstore_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// acceptAs stores an uploaded photo of an owner under a name.
func acceptAs(t *testing.T, s *jobstore.Store, owner uuid.UUID, name string) job.ID {
	t.Helper()
	p := uploaded(t, s)
	p.OwnerID, p.Filename = owner, name
	if err := s.Accept(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	return p.ID
}

func finish(t *testing.T, s *jobstore.Store, id job.ID, faces ...job.Face) {
	t.Helper()
	fence := mustClaim(t, s, id, 1)
	if done, err := s.Finish(t.Context(), id, fence, job.Result{Faces: faces, Width: 10, Height: 10}); err != nil || !done {
		t.Fatalf("finishing: %v, %v", done, err)
	}
}

func TestListsAreCountedSearchedAndWalked(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner := testenv.Owner(t, store)
	var ids []job.ID
	for _, name := range []string{"Gate-7 100%.jpg", "gate_8.jpg", "lobby.jpg", "waiting.jpg"} {
		ids = append(ids, acceptAs(t, store, owner, name))
	}
	accept(t, store) // somebody else's
	finish(t, store, ids[0])
	finish(t, store, ids[1])
	finish(t, store, ids[2], job.Face{Label: job.LabelMasked, Box: job.Box{XMax: 1, YMax: 1}})
	all := jobstore.Filter{OwnerID: owner, Category: job.CategoryAllMasked, Before: ids[0], Limit: 1}
	counts, err := store.CountLists(t.Context(), all)
	if err != nil || counts.All != 4 || counts.Of[job.CategoryNoFaces] != 2 || counts.Of[job.CategoryAllMasked] != 1 {
		t.Errorf("counted %+v, %v", counts, err)
	}
	for search, want := range map[string]int{"GATE": 2, "0%": 1, "_8": 1, ".jpg": 4, `\`: 0, "'": 0} {
		found, err := store.List(t.Context(), jobstore.Filter{OwnerID: owner, Search: search, Limit: 10})
		if err != nil || len(found) != want {
			t.Errorf("searching %q finds %d, %v, want %d", search, len(found), err, want)
		}
	}
	newer, older, err := store.Neighbours(t.Context(), jobstore.Filter{OwnerID: owner}, ids[1])
	if err != nil || newer != ids[2] || older != ids[0] {
		t.Errorf("beside the second: %v, %v, %v", newer, older, err)
	}
	newer, older, err = store.Neighbours(t.Context(), jobstore.Filter{OwnerID: owner, Category: job.CategoryNoFaces}, ids[1])
	if err != nil || newer != (job.ID{}) || older != ids[0] {
		t.Errorf("beside it in its list: %v, %v, %v", newer, older, err)
	}
	got, err := store.ListIDs(t.Context(), jobstore.Filter{OwnerID: owner, Newest: ids[2], Limit: 10})
	if err != nil || !slices.Equal(got, []job.ID{ids[2], ids[1], ids[0]}) {
		t.Errorf("up to the third: %v, %v", got, err)
	}
}

func TestDeleteDoneTakesOnesOwnThatAreTerminal(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	owner := testenv.Owner(t, store)
	done, waiting, stranger := acceptAs(t, store, owner, "a"), acceptAs(t, store, owner, "b"), accept(t, store).ID
	finish(t, store, done)
	finish(t, store, stranger)
	own, err := store.OwnIDs(t.Context(), owner, []job.ID{done, waiting, stranger})
	if err != nil || len(own) != 2 || slices.Contains(own, stranger) {
		t.Errorf("own: %v, %v", own, err)
	}
	for _, want := range []int{1, 0} {
		if n, err := store.DeleteDone(t.Context(), owner, []job.ID{done, waiting, stranger}); err != nil || n != want {
			t.Errorf("deleted %d, %v, want %d", n, err, want)
		}
	}
	erase, err := store.PhotosToErase(t.Context(), jobstore.Erasable{}, 10)
	if err != nil || len(erase) != 1 || erase[0].ID != done || erase[0].Day() != time.Now().UTC().Format(time.DateOnly) {
		t.Errorf("to erase: %+v, %v", erase, err)
	}
	if rest, err := store.PhotosToErase(t.Context(), erase[0], 10); err != nil || len(rest) > 0 {
		t.Errorf("after the last: %+v, %v", rest, err)
	}
	kept, err := store.FindKept(t.Context(), []job.ID{done, waiting, uuid.New()})
	if err != nil || len(kept) != 2 {
		t.Errorf("kept: %+v, %v", kept, err)
	}
	day := time.Now().UTC().Truncate(24 * time.Hour)
	listed, err := store.ListKept(t.Context(), day, day.Add(48*time.Hour), done, 10)
	if err != nil || len(listed) != 2 || listed[0].ID != waiting || len(listed[0].Keys()) != 1 {
		t.Errorf("listed after the first: %+v, %v", listed, err)
	}
}

func TestPhotosPast(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	p := uploaded(t, store)
	p.Lane = job.LaneBatch
	if err := store.Accept(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	finish(t, store, p.ID)
	staffs := accept(t, store)
	finish(t, store, staffs.ID)
	for age, want := range map[time.Duration]int{0: 1, time.Hour: 0} {
		if past, err := store.PhotosPast(t.Context(), job.LaneBatch, age, 10); err != nil || len(past) != want {
			t.Errorf("past %s: %v, %v", age, past, err)
		}
	}
}
