package imagestore_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/uuid"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/testenv"
)

func TestListAndDeleteUnder(t *testing.T) {
	t.Parallel()
	store, err := imagestore.Open(t.Context(), testenv.S3(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.EnsureBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	mine, other := uuid.New(), uuid.New()
	keys := []string{"2026-01-02/" + other.String() + "/original", "2026-01-03/" + mine.String() + "/original"}
	for i := range 20 {
		keys = append(keys, fmt.Sprintf("2026-01-02/%s/%d/annotated", mine, i+1))
	}
	for _, key := range append(keys, "uploads/x") {
		if err := store.Put(t.Context(), key, "image/jpeg", []byte("data")); err != nil {
			t.Fatal(err)
		}
	}
	days, err := store.Days(t.Context())
	if err != nil || !slices.Equal(days, []string{"2026-01-02", "2026-01-03"}) {
		t.Errorf("days: %v, %v", days, err)
	}
	for _, want := range []int{20, 0} {
		if n, err := store.DeleteUnder(t.Context(), imagestore.PhotoPrefix("2026-01-02", mine)); err != nil || n != want {
			t.Errorf("removed %d, %v, want %d", n, err, want)
		}
	}
	var left []imagestore.Object
	for _, day := range days {
		err := store.List(t.Context(), day+"/", func(page []imagestore.Object) error {
			left = append(left, page...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(left) != 2 || left[0].Key != keys[0] || left[0].Bytes != 4 || left[0].ModifiedAt.IsZero() {
		t.Errorf("left: %+v", left)
	}
	for _, prefix := range []string{"", "/", "../", "2026-01-02//"} {
		if _, err := store.DeleteUnder(t.Context(), prefix); err == nil {
			t.Errorf("everything under %q was deleted", prefix)
		}
	}
}

func TestPhotoOf(t *testing.T) {
	t.Parallel()
	p := job.Photo{ID: uuid.New()}
	for _, key := range []string{imagestore.OriginalKey(p), imagestore.ResultKey(p, 3, "annotated")} {
		if id, ok := imagestore.PhotoOf(key); !ok || id != p.ID {
			t.Errorf("%s belongs to %v, %v", key, id, ok)
		}
	}
	for _, key := range []string{
		"", "original", "2026-01-02/original", "2026-01-02/" + p.ID.String() + "/manifest", "2026-01-02/" + p.ID.String(),
		"batches/" + p.ID.String() + "/original", "2026-01-02/" + p.ID.String() + "/original/x", "uploads/2026-01-02/" + p.ID.String() + "/original",
	} {
		if id, ok := imagestore.PhotoOf(key); ok {
			t.Errorf("%s belongs to %v", key, id)
		}
	}
}
