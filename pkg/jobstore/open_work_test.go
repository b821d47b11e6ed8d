package jobstore_test

import (
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

// TestOpenWork: what is being erased takes nobody's room.
func TestOpenWork(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	kept, erased := uploaded(t, store), uploaded(t, store)
	erased.OwnerID = kept.OwnerID
	for _, p := range []job.Photo{kept, erased} {
		if err := store.Accept(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	must(t)(store.Delete(t.Context(), erased.ID))
	if open, err := store.OpenWork(t.Context(), kept.OwnerID, 10); err != nil || open != (jobstore.OpenWork{Photos: 1}) {
		t.Errorf("got %+v, %v; want one photo", open, err)
	}
}
