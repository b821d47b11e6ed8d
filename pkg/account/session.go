package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// session is what is stored of a session. What the account may do is read anew for
// each request.
type session struct {
	UserID   uuid.UUID `json:"user_id"`
	Password string    `json:"password"` // fingerprint of the hash it began with
}

// StartSession begins a session of a user who just logged in, and gives the token
// for the browser.
func (a *Accounts) StartSession(ctx context.Context, u jobstore.User) (token string, err error) {
	data, err := json.Marshal(session{UserID: u.ID, Password: fingerprint(u.PasswordHash)})
	if err != nil {
		return "", fmt.Errorf("starting a session: %w", err)
	}
	token = rand.Text()
	if err := a.sessions.PutSession(ctx, u.ID, token, data, a.sessionTTL); err != nil {
		return "", fmt.Errorf("starting a session: %w", err)
	}
	return token, nil
}

// Session gives the account of a session as it is now. One that ended, or began
// before the password was changed, is jobstore.ErrNotFound.
func (a *Accounts) Session(ctx context.Context, token string) (jobstore.User, error) {
	data, found, err := a.sessions.Session(ctx, token)
	if err != nil {
		return jobstore.User{}, fmt.Errorf("finding a session: %w", err)
	}
	if !found {
		return jobstore.User{}, fmt.Errorf("finding a session: %w", jobstore.ErrNotFound)
	}
	var s session
	if err := json.Unmarshal(data, &s); err != nil {
		return jobstore.User{}, fmt.Errorf("reading a session: %w", err)
	}
	u, err := a.store.FindUser(ctx, s.UserID)
	switch {
	case err != nil:
		return jobstore.User{}, fmt.Errorf("finding the user of a session: %w", err)
	case s.Password != fingerprint(u.PasswordHash):
		return jobstore.User{}, fmt.Errorf("the password was changed since: %w", jobstore.ErrNotFound)
	case u.Disabled:
		return jobstore.User{}, ErrDisabled
	}
	a.saw(ctx, u.ID)
	return u, nil
}

// EndSession ends a session; one that is not there is no error.
func (a *Accounts) EndSession(ctx context.Context, token string) error {
	if err := a.sessions.DropSession(ctx, token); err != nil {
		return fmt.Errorf("ending a session: %w", err)
	}
	return nil
}

// fingerprint tells one password hash from another without being worth stealing.
func fingerprint(hash string) string {
	sum := sha256.Sum256([]byte(hash))
	return hex.EncodeToString(sum[:])
}
