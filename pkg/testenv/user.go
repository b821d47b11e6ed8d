package testenv

import (
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// User makes an account. Its password is hashed as cheaply as can be, for with the race
// detector the real hash takes longer on a busy machine than a log-in waits.
func User(tb testing.TB, store *jobstore.Store, name, role, password string) jobstore.User {
	tb.Helper()
	hash, err := argon2id.CreateHash(password, &argon2id.Params{
		Memory: 8, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return createUser(tb, store, jobstore.User{Username: name, PasswordHash: hash, Role: role, Admin: role == "administrator"})
}

// Owner makes an account, for photos must belong to one. Nobody can log in to it.
func Owner(tb testing.TB, store *jobstore.Store) uuid.UUID {
	tb.Helper()
	return createUser(tb, store, jobstore.User{Username: "owner " + uuid.NewString(), Role: "user"}).ID
}

func createUser(tb testing.TB, store *jobstore.Store, u jobstore.User) jobstore.User {
	tb.Helper()
	id, err := uuid.NewV7()
	if err != nil {
		tb.Fatal(err)
	}
	u.ID, u.CreatedAt = id, time.Now().UTC().Truncate(time.Microsecond)
	if err := store.CreateUser(tb.Context(), u); err != nil {
		tb.Fatal(err)
	}
	return u
}
