package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// The scopes of an API key.
const (
	ScopeRead  = "read"
	ScopeWrite = "write"
)

const (
	keyPrefix     = "mf_" // so that people and secret scanners know what it is
	shownOfKey    = len(keyPrefix) + 6
	keyTouchEvery = time.Minute
)

// NewAPIKey makes a key of an account with the given scopes. The plain key is given
// here and never again.
func (a *Accounts) NewAPIKey(ctx context.Context, u jobstore.User, name string, scopes []string) (plain string, key jobstore.APIKey, err error) {
	if err := validateName(name); err != nil {
		return "", jobstore.APIKey{}, err
	}
	if err := validateScopes(scopes); err != nil {
		return "", jobstore.APIKey{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return "", jobstore.APIKey{}, fmt.Errorf("making an API key: %w", err)
	}
	plain = keyPrefix + rand.Text()
	key = jobstore.APIKey{
		ID: id, UserID: u.ID, Name: name, Hash: sha256.Sum256([]byte(plain)), Prefix: plain[:shownOfKey],
		Scopes: scopes, CreatedAt: time.Now().UTC().Truncate(time.Microsecond),
	}
	if err := a.store.CreateAPIKey(ctx, key); err != nil {
		return "", jobstore.APIKey{}, err
	}
	return plain, key, nil
}

func validateScopes(scopes []string) error {
	for _, scope := range scopes {
		if scope != ScopeRead && scope != ScopeWrite {
			return invalid("%q is no scope", scope)
		}
	}
	if len(scopes) == 0 {
		return invalid("a key needs a scope")
	}
	return nil
}

// Authenticate gives the account and scopes of an API key. An unknown or revoked key
// is jobstore.ErrNotFound.
func (a *Accounts) Authenticate(ctx context.Context, bearer string) (jobstore.User, []string, error) {
	// A key has 130 random bits: a plain digest cannot be turned back.
	if !strings.HasPrefix(bearer, keyPrefix) {
		return jobstore.User{}, nil, fmt.Errorf("authenticating: %w", jobstore.ErrNotFound)
	}
	key, user, err := a.store.FindAPIKey(ctx, sha256.Sum256([]byte(bearer)))
	if err != nil {
		return jobstore.User{}, nil, fmt.Errorf("authenticating: %w", err)
	}
	if user.Disabled {
		return jobstore.User{}, nil, ErrDisabled
	}
	if time.Since(key.LastUsedAt) > keyTouchEvery {
		_ = a.store.TouchAPIKey(ctx, key.ID) // for display; not worth a refusal
	}
	return user, key.Scopes, nil
}
