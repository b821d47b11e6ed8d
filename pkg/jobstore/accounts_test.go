package jobstore_test

import (
	"crypto/sha256"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
	"maskfleet/pkg/testenv"
)

func someTime() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC) }

func TestUserIsFoundAsItWasGiven(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	want := jobstore.User{
		ID: newID(t), Username: "Jürgen", PasswordHash: "$argon2id$…", Email: "j@example.org", Role: "operator",
		Admin: true, APIRegistered: true, Disabled: true, CreatedAt: someTime(),
	}
	if err := store.CreateUser(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	byID, err := store.FindUser(t.Context(), want.ID)
	if diff := cmp.Diff(want, byID); err != nil || diff != "" {
		t.Errorf("by id (-want +got), %v:\n%s", err, diff)
	}
	byName, err := store.FindUserByName(t.Context(), "jurgen")
	if diff := cmp.Diff(want, byName); err != nil || diff != "" {
		t.Errorf("by another spelling of the name (-want +got), %v:\n%s", err, diff)
	}
	again := want
	again.ID, again.Username = newID(t), "JÜRGEN"
	if err := store.CreateUser(t.Context(), again); !errors.Is(err, jobstore.ErrUsernameTaken) {
		t.Errorf("the same name again: %v", err)
	}
	for range 2 { // the same hash twice is no error
		if err := store.SetPasswordHash(t.Context(), want.ID, "$new"); err != nil {
			t.Error(err)
		}
	}
	if got, _ := store.FindUser(t.Context(), want.ID); got.PasswordHash != "$new" {
		t.Errorf("password hash: got %q", got.PasswordHash)
	}
	for name, err := range map[string]error{
		"FindUser":        second(store.FindUser(t.Context(), uuid.New())),
		"FindUserByName":  second(store.FindUserByName(t.Context(), "nobody")),
		"SetPasswordHash": store.SetPasswordHash(t.Context(), uuid.New(), "$new"),
	} {
		if !errors.Is(err, jobstore.ErrNotFound) {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
}

func TestNamesFoldAsTheyAreCompared(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	fold := func(name string) string {
		t.Helper()
		key, err := store.FoldName(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	for _, same := range []string{"JURGEN", "Jürgen", "ｊｕｒｇｅｎ", "ju\u0308rgen", "jurgen\u0000", "jurgen ", "jurgen \u0308"} {
		if fold(same) != fold("jurgen") {
			t.Errorf("%q is another name than jurgen", same)
		}
	}
	for _, other := range []string{"", "jorgen", "jurgenn", "jurge", strings.Repeat("jurgen", 30)} {
		if fold(other) == fold("jurgen") {
			t.Errorf("%q is jurgen", other)
		}
	}
}

func second[T any](_ T, err error) error { return err }

func TestAPIKeyIsValidUntilRevoked(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	ctx := t.Context()
	owner, stranger := testenv.Owner(t, store), testenv.Owner(t, store)
	want := jobstore.APIKey{
		ID: newID(t), UserID: owner, Name: "gate 7", Hash: sha256.Sum256([]byte("mf_secret")), Prefix: "mf_secr",
		Scopes: []string{"read", "write"}, CreatedAt: someTime(),
	}
	if err := store.CreateAPIKey(ctx, want); err != nil {
		t.Fatal(err)
	}
	key, user, err := store.FindAPIKey(ctx, want.Hash)
	if diff := cmp.Diff(want, key); err != nil || diff != "" || user.ID != owner {
		t.Fatalf("key of %s (-want +got), %v:\n%s", user.ID, err, diff)
	}
	for range 2 {
		if err := store.TouchAPIKey(ctx, key.ID); err != nil {
			t.Fatal(err)
		}
	}
	if err := store.RevokeAPIKey(ctx, stranger, key.ID); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("revoked by a stranger: %v", err)
	}
	if err := store.RevokeAPIKey(ctx, owner, key.ID); err != nil {
		t.Error(err)
	}
	if _, _, err := store.FindAPIKey(ctx, want.Hash); !errors.Is(err, jobstore.ErrNotFound) {
		t.Errorf("a revoked key: %v", err)
	}
	keys, err := store.ListAPIKeys(ctx, owner)
	if err != nil || len(keys) != 1 || keys[0].RevokedAt.IsZero() || keys[0].LastUsedAt.IsZero() {
		t.Errorf("keys: %+v, %v", keys, err)
	}
	if keys, err := store.ListAPIKeys(ctx, stranger); err != nil || len(keys) != 0 {
		t.Errorf("a stranger's keys: %+v, %v", keys, err)
	}
}

func TestAuditLogKeepsItsOrder(t *testing.T) {
	t.Parallel()
	store := testenv.JobStore(t)
	var want []jobstore.Audit
	for _, action := range []string{"user.create", "user.disable"} {
		a := jobstore.Audit{
			ID: newID(t), At: someTime(), Actor: "admin", Action: action, Subject: "gate", Detail: map[string]string{"role": "user"},
		}
		if err := store.RecordAudit(t.Context(), a); err != nil {
			t.Fatal(err)
		}
		want = append([]jobstore.Audit{a}, want...)
	}
	got, err := store.ListAudit(t.Context(), 10)
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("records (-want +got), %v:\n%s", err, diff)
	}
}
