package imagestore_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/testenv"
)

func TestPutStreamOfAnyLength(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	data := make([]byte, 2*imagestore.PartBytes+1)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	const key = "2026-11-23/batches/b/manifest"
	for _, length := range []int{0, 1, imagestore.PartBytes - 1, imagestore.PartBytes, imagestore.PartBytes + 1, len(data)} {
		n, err := store.PutStream(ctx, key, "application/x-ndjson", bytes.NewReader(data[:length]))
		if err != nil || n != int64(length) {
			t.Fatalf("%d bytes: stored %d, %v", length, n, err)
		}
		if got, err := store.Get(ctx, key, int64(len(data))); err != nil || !bytes.Equal(got, data[:length]) {
			t.Errorf("%d bytes: got %d, %v", length, len(got), err)
		}
	}
}

func TestPutStreamThatBreaksChangesNothing(t *testing.T) {
	t.Parallel()
	ctx, store := t.Context(), open(t, testenv.S3(t))
	const key = "2026-11-23/batches/b/manifest"
	put(t, store, key, []byte("before"))
	for _, length := range []int{10, imagestore.PartBytes, 2*imagestore.PartBytes + 1} {
		for _, cause := range []error{errors.New("the sender left"), io.ErrUnexpectedEOF} {
			from := io.MultiReader(bytes.NewReader(make([]byte, length)), iotest.ErrReader(cause))
			if _, err := store.PutStream(ctx, key, "application/x-ndjson", from); !errors.Is(err, cause) {
				t.Errorf("%d bytes: got %v, want %v", length, err, cause)
			}
			if got, err := store.Get(ctx, key, 100); err != nil || string(got) != "before" {
				t.Errorf("%d bytes: the object is %q, %v", length, got, err)
			}
		}
	}
}
