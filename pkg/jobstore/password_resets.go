package jobstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ResetPurpose is why somebody may set a password without knowing the present one.
type ResetPurpose string

// The purposes.
const (
	ResetRecovery   ResetPurpose = "recovery"
	ResetInvitation ResetPurpose = "invitation"
)

// PasswordReset lets whoever has its token set the password of an account, once.
type PasswordReset struct {
	Hash    [sha256.Size]byte // of the token, which is nowhere stored
	UserID  uuid.UUID
	Purpose ResetPurpose
	Lasts   time.Duration // from now, by the database's clock
}

// CreatePasswordReset stores a reset.
func (s *Store) CreatePasswordReset(ctx context.Context, r PasswordReset) error {
	_, err := s.exec(ctx, `
		INSERT INTO password_resets (hash, user_id, purpose, created_at, expires_at)
		VALUES (?, ?, ?, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)`,
		r.Hash[:], r.UserID[:], r.Purpose, r.Lasts.Microseconds())
	if err != nil {
		return fmt.Errorf("creating a password reset of user %s: %w", r.UserID, err)
	}
	return nil
}

const findReset = `
	SELECT ` + userColumns + `
	FROM password_resets JOIN users ON users.id = password_resets.user_id
	WHERE password_resets.hash = ? AND password_resets.expires_at > UTC_TIMESTAMP(6) AND users.disabled = FALSE`

// FindPasswordReset gives the account whose password a token may set. A token that
// was used, is too old or belongs to a closed account is ErrNotFound.
func (s *Store) FindPasswordReset(ctx context.Context, hash [sha256.Size]byte) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, findReset, hash[:]))
	if err != nil {
		return User{}, fmt.Errorf("finding a password reset: %w", classify(err))
	}
	return u, nil
}

// UsePasswordReset sets the password and ends this token and all others of the
// account, all of it or nothing. A token that is good no more is ErrNotFound.
func (s *Store) UsePasswordReset(ctx context.Context, hash [sha256.Size]byte, passwordHash string) (u User, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		if u, err = scanUser(tx.QueryRowContext(ctx, findReset+` FOR UPDATE`, hash[:])); err != nil {
			return err
		}
		u.PasswordHash = passwordHash
		return setPassword(ctx, tx, u.ID, passwordHash)
	})
	if err != nil {
		return User{}, fmt.Errorf("using a password reset: %w", err)
	}
	return u, nil
}

// setPassword also ends what could set it again.
func setPassword(ctx context.Context, tx *sql.Tx, id uuid.UUID, hash string) error {
	changed, err := found(tx.ExecContext(ctx, `UPDATE users SET password = ? WHERE id = ?`, hash, id[:]))
	if err != nil {
		return err
	}
	if !changed {
		return ErrNotFound
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM password_resets WHERE user_id = ?`, id[:])
	return err
}

// PurgePasswordResets forgets resets that nobody can use any more.
func (s *Store) PurgePasswordResets(ctx context.Context) error {
	if _, err := s.exec(ctx, `DELETE FROM password_resets WHERE expires_at <= UTC_TIMESTAMP(6)`); err != nil {
		return fmt.Errorf("purging password resets: %w", err)
	}
	return nil
}

func scanUser(from row) (User, error) {
	var u User
	err := from.Scan(u.columns()...)
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, ErrNotFound
	}
	return u, err
}
