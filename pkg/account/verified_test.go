package account

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/go-cmp/cmp"
)

func TestVerifiedForgets(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		v := newVerified(time.Minute)
		v.add("hash", "password")
		if !v.has("hash", "password") {
			t.Error("forgot at once")
		}
		if v.has("hash", "other") || v.has("other", "password") {
			t.Error("remembers what was never verified")
		}
		time.Sleep(time.Minute)
		if v.has("hash", "password") {
			t.Error("remembers for ever")
		}
	})
}

func TestVerifiedIsBounded(t *testing.T) {
	t.Parallel()
	v := newVerified(time.Hour)
	for i := range 3 * maxVerified {
		v.add("hash", strconv.Itoa(i))
	}
	if n := len(v.until); n > maxVerified {
		t.Errorf("remembers %d, want %d at most", n, maxVerified)
	}
}

func TestDecoyCostsWhatAHashDoes(t *testing.T) {
	t.Parallel()
	got, _, _, err := argon2id.DecodeHash(decoy)
	if diff := cmp.Diff(hashParams(), got); err != nil || diff != "" {
		t.Errorf("parameters of the decoy (-want +got), %v:\n%s", err, diff)
	}
}

func TestBeginHashingWaitsForItsTurn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := New(nil, nil, Config{})
		for range hashesAtOnce {
			if _, err := a.beginHashing(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := a.beginHashing(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("one more than may: %v", err)
		}
	})
}
