package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// How long the link in a mail lives.
const (
	RecoveryLasts   = 30 * time.Minute
	InvitationLasts = 7 * 24 * time.Hour
)

// Recovery lets whoever has the token set the password of the account, once.
type Recovery struct {
	User  jobstore.User
	Token string // for a link; nowhere stored
}

// BeginRecovery makes a recovery for each open account that has the name, or else
// the e-mail address. Accounts without an address have none, for nobody could be
// told the token. How long it takes tells whether there was one: answer first.
func (a *Accounts) BeginRecovery(ctx context.Context, nameOrEmail string) ([]Recovery, error) {
	users, err := a.lookUp(ctx, nameOrEmail)
	if err != nil {
		return nil, fmt.Errorf("beginning a recovery: %w", err)
	}
	var begun []Recovery
	for _, u := range users {
		if u.Disabled || u.Email == "" {
			continue
		}
		token, err := a.newReset(ctx, u.ID, jobstore.ResetRecovery, RecoveryLasts)
		if err != nil {
			return nil, fmt.Errorf("beginning a recovery: %w", err)
		}
		begun = append(begun, Recovery{User: u, Token: token})
	}
	return begun, nil
}

func (a *Accounts) lookUp(ctx context.Context, nameOrEmail string) ([]jobstore.User, error) {
	u, err := a.findByName(ctx, nameOrEmail)
	if err == nil {
		return []jobstore.User{u}, nil
	}
	if !errors.Is(err, jobstore.ErrNotFound) {
		return nil, err
	}
	return a.store.FindUsersByEmail(ctx, nameOrEmail)
}

// Invite makes a token by which a new account's owner chooses the first password.
func (a *Accounts) Invite(ctx context.Context, u jobstore.User) (token string, err error) {
	token, err = a.newReset(ctx, u.ID, jobstore.ResetInvitation, InvitationLasts)
	if err != nil {
		return "", fmt.Errorf("inviting a user: %w", err)
	}
	return token, nil
}

func (a *Accounts) newReset(ctx context.Context, id uuid.UUID, purpose jobstore.ResetPurpose, lasts time.Duration) (token string, err error) {
	token = rand.Text()
	err = a.store.CreatePasswordReset(ctx, jobstore.PasswordReset{
		Hash: sha256.Sum256([]byte(token)), UserID: id, Purpose: purpose, Lasts: lasts,
	})
	return token, err
}

// RecoveryOf gives the account whose password a token may set, jobstore.ErrNotFound
// once it was used or is too old.
func (a *Accounts) RecoveryOf(ctx context.Context, token string) (jobstore.User, error) {
	return a.store.FindPasswordReset(ctx, sha256.Sum256([]byte(token)))
}

// Recover sets the password of the token's account. It uses the token up, and ends
// all sessions of the account, but not its API keys. The error is RecoveryOf's or an
// ErrInvalid; with that one the token stays good.
func (a *Accounts) Recover(ctx context.Context, token, password string) (jobstore.User, error) {
	if err := ValidatePassword(password, ByAdministrator); err != nil {
		return jobstore.User{}, err
	}
	if _, err := a.RecoveryOf(ctx, token); err != nil { // before a hash is paid for
		return jobstore.User{}, err
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return jobstore.User{}, err
	}
	u, err := a.store.UsePasswordReset(ctx, sha256.Sum256([]byte(token)), hash)
	if err != nil {
		return jobstore.User{}, err
	}
	a.dropSessions(ctx, u.ID)
	return u, nil
}

// ChangePassword sets the password of somebody who knows the present one. All
// sessions of the account end; the caller starts a new one for the user it is given.
// The error is ErrWrongCredentials, an ErrInvalid or the store's.
func (a *Accounts) ChangePassword(ctx context.Context, u jobstore.User, present, password string) (jobstore.User, error) {
	right, err := a.matches(ctx, present, u.PasswordHash)
	if err != nil {
		return jobstore.User{}, fmt.Errorf("changing a password: %w", err)
	}
	if !right {
		return jobstore.User{}, ErrWrongCredentials
	}
	if err := a.SetPassword(ctx, u.ID, password); err != nil {
		return jobstore.User{}, err
	}
	return a.store.FindUser(ctx, u.ID)
}

// dropSessions forgets sessions that are worth nothing since the password changed:
// a failure only leaves them where they are until they end.
func (a *Accounts) dropSessions(ctx context.Context, id uuid.UUID) {
	_ = a.sessions.DropUserSessions(ctx, id)
}

// EndSessions ends all sessions of an account, as when it is closed.
func (a *Accounts) EndSessions(ctx context.Context, id uuid.UUID) error {
	if err := a.sessions.DropUserSessions(ctx, id); err != nil {
		return fmt.Errorf("ending the sessions of user %s: %w", id, err)
	}
	return nil
}
