package account

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"maskfleet/pkg/jobstore"
)

// hashesAtOnce bounds what log-ins cost: each hash takes 19 MiB and a core.
const hashesAtOnce = 2

// OWASP's first choice for argon2id where memory is dear.
func hashParams() *argon2id.Params {
	return &argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}
}

// decoy is a hash of no password, with hashParams: an unknown user costs as much
// time as a wrong password.
const decoy = "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// Verify checks a username and password and gives the account. The error is
// ErrWrongCredentials, ErrDisabled, the store's, or that of a context that ended
// while other log-ins were hashed.
func (a *Accounts) Verify(ctx context.Context, username, password string) (jobstore.User, error) {
	user, err := a.findByName(ctx, username)
	unknown := errors.Is(err, jobstore.ErrNotFound)
	if err != nil && !unknown {
		return jobstore.User{}, fmt.Errorf("logging in: %w", err)
	}
	hash := user.PasswordHash
	if unknown {
		hash = decoy
	}
	right, err := a.matches(ctx, password, hash)
	switch {
	case err != nil:
		return jobstore.User{}, fmt.Errorf("logging in: %w", err)
	case !right || unknown:
		return jobstore.User{}, ErrWrongCredentials
	case user.Disabled:
		return jobstore.User{}, ErrDisabled
	}
	return user, nil
}

func (a *Accounts) findByName(ctx context.Context, username string) (jobstore.User, error) {
	if ValidateUsername(username) != nil {
		return jobstore.User{}, jobstore.ErrNotFound
	}
	return a.store.FindUserByName(ctx, username)
}

// maxNamed is what a name or an e-mail address may have, in characters.
const maxNamed = 255

// Fold gives the same for all spellings of one account's name or e-mail address, and
// for all of one that nobody has: whoever counts by it tells nobody which names exist.
func (a *Accounts) Fold(ctx context.Context, nameOrEmail string) (string, error) {
	if !utf8.ValidString(nameOrEmail) || utf8.RuneCountInString(nameOrEmail) > maxNamed {
		return nameOrEmail, nil // no account's
	}
	return a.store.FoldName(ctx, nameOrEmail)
}

// matches compares a password with a hash, by memory if it was the right one within
// the last minute. A thousand log-ins of one account at once hash once or twice.
func (a *Accounts) matches(ctx context.Context, password, hash string) (bool, error) {
	if a.verified.has(hash, password) {
		return true, nil
	}
	done, err := a.beginHashing(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	if a.verified.has(hash, password) { // while this one waited
		return true, nil
	}
	right, err := argon2id.ComparePasswordAndHash(password, hash)
	if err != nil {
		return false, fmt.Errorf("comparing a password: %w", err)
	}
	if right {
		a.verified.add(hash, password)
	}
	return right, nil
}

func (a *Accounts) hashPassword(ctx context.Context, password string) (string, error) {
	done, err := a.beginHashing(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	hash, err := argon2id.CreateHash(password, hashParams())
	if err != nil {
		return "", fmt.Errorf("hashing a password: %w", err)
	}
	return hash, nil
}

// beginHashing waits for its turn; the caller says done.
func (a *Accounts) beginHashing(ctx context.Context) (done func(), err error) {
	select {
	case a.hashing <- struct{}{}:
		return func() { <-a.hashing }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting to hash a password: %w", context.Cause(ctx))
	}
}
