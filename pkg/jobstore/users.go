package jobstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// User is an account. Its role is user, viewer, operator or administrator; what a
// role may do is not decided here.
type User struct {
	ID            uuid.UUID
	Username      string
	PasswordHash  string // argon2id with its parameters and salt
	Email         string
	Role          string
	Admin         bool
	APIRegistered bool // made by POST /api/register
	Disabled      bool
	CreatedAt     time.Time
}

const userColumns = `users.id, users.username, users.password, users.email, users.role, users.admin,
	users.api_registered, users.disabled, users.created_at`

func (u *User) columns() []any {
	return []any{
		&u.ID, &u.Username, &u.PasswordHash, &u.Email, &u.Role, &u.Admin,
		&u.APIRegistered, &u.Disabled, &u.CreatedAt,
	}
}

// CreateUser stores a new account, or gives ErrUsernameTaken. Names that differ
// only in case or accents are the same name.
func (s *Store) CreateUser(ctx context.Context, u User) error {
	_, err := s.exec(ctx, `
		INSERT INTO users (id, username, password, email, role, admin, api_registered, disabled, created_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		u.ID[:], u.Username, u.PasswordHash, u.Email, u.Role, u.Admin, u.APIRegistered, u.Disabled, u.CreatedAt)
	if errorNumber(err) == errDuplicate {
		return ErrUsernameTaken
	}
	if err != nil {
		return fmt.Errorf("creating user %s: %w", u.ID, err)
	}
	return nil
}

// FindUser finds an account by its id.
func (s *Store) FindUser(ctx context.Context, id uuid.UUID) (User, error) {
	u, err := s.findUser(ctx, `users.id = ?`, id[:])
	if err != nil {
		return User{}, fmt.Errorf("finding user %s: %w", id, err)
	}
	return u, nil
}

// FindUserByName finds an account by its name, whatever its case.
func (s *Store) FindUserByName(ctx context.Context, username string) (User, error) {
	u, err := s.findUser(ctx, `users.username = ?`, username)
	if err != nil {
		return User{}, fmt.Errorf("finding a user by name: %w", err)
	}
	return u, nil
}

// FoldName gives the same for names, or e-mail addresses, that are the same to the
// store, whether there is such an account or not. The name must be valid UTF-8 of at
// most 255 characters.
func (s *Store) FoldName(ctx context.Context, name string) (string, error) {
	var weights []byte
	// Padded, for spaces at the end do not count.
	err := s.db.QueryRowContext(ctx, `
		SELECT WEIGHT_STRING(CONVERT(? USING utf8mb4) COLLATE utf8mb4_unicode_ci AS CHAR(255))`, name).Scan(&weights)
	if err != nil {
		return "", fmt.Errorf("folding a name: %w", classify(err))
	}
	return string(weights), nil
}

func (s *Store) findUser(ctx context.Context, condition string, arg any) (User, error) {
	u, err := scanUser(s.db.QueryRowContext(ctx, `SELECT `+userColumns+` FROM users WHERE `+condition, arg))
	return u, classify(err)
}

// SetPasswordHash replaces the password hash of an account and ends its resets.
func (s *Store) SetPasswordHash(ctx context.Context, id uuid.UUID, hash string) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error { return setPassword(ctx, tx, id, hash) })
	if err != nil {
		return fmt.Errorf("setting the password of user %s: %w", id, err)
	}
	return nil
}

// CountUsers counts the accounts, disabled ones too.
func (s *Store) CountUsers(ctx context.Context) (int, error) {
	var count int
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM users`).Scan(&count); err != nil {
		return 0, fmt.Errorf("counting users: %w", classify(err))
	}
	return count, nil
}

// Usernames gives the names of accounts by their ids.
func (s *Store) Usernames(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	names := map[uuid.UUID]string{}
	if len(ids) == 0 {
		return names, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, username FROM users WHERE id IN (`+list(`?`, len(ids))+`)`, idArgs(ids)...)
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var id uuid.UUID
		var name string
		err := from.Scan(&id, &name)
		names[id] = name
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("naming accounts: %w", err)
	}
	return names, nil
}
