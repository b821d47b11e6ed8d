package jobstore

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
)

// roleAdministrator is the one role that the store itself knows: somebody must
// always have it.
const roleAdministrator = "administrator"

// Usage is an account and what it keeps.
type Usage struct {
	User
	Photos     int       // also those that are being deleted
	Bytes      int64     // of their originals
	LastSeenAt time.Time // by page or API key, to some minutes; zero if never
	DeletedAt  time.Time // when its deletion began; zero while it exists
}

// UserFilter picks accounts; zero fields do not restrict.
type UserFilter struct {
	Search string // part of name or e-mail
	After  string // the last name of the page before this one
	Limit  int    // required, at least 1
}

// ListUsers gives accounts by name, disabled ones and those being deleted too.
func (s *Store) ListUsers(ctx context.Context, f UserFilter) ([]Usage, error) {
	where, args := ``, []any{}
	if f.Search != "" {
		where += ` AND (users.username LIKE ? OR users.email LIKE ?)`
		args = append(args, containing(f.Search), containing(f.Search))
	}
	if f.After != "" {
		where += ` AND users.username > ?`
		args = append(args, f.After)
	}
	list, err := s.usages(ctx, where, ` ORDER BY users.username LIMIT ?`, append(args, f.Limit)...)
	if err != nil {
		return nil, fmt.Errorf("listing users: %w", err)
	}
	return list, nil
}

// FindUsage gives one account with what it keeps.
func (s *Store) FindUsage(ctx context.Context, id uuid.UUID) (Usage, error) {
	list, err := s.usages(ctx, ` AND users.id = ?`, ``, id[:])
	if err == nil && len(list) == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Usage{}, fmt.Errorf("finding user %s: %w", id, err)
	}
	return list[0], nil
}

func (s *Store) usages(ctx context.Context, where, order string, args ...any) ([]Usage, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+userColumns+`, users.last_seen_at, users.deleted_at,
			(SELECT COUNT(*) FROM photos WHERE photos.owner_id = users.id),
			(SELECT COALESCE(SUM(photos.bytes), 0) FROM photos WHERE photos.owner_id = users.id),
			(SELECT MAX(api_keys.last_used_at) FROM api_keys WHERE api_keys.user_id = users.id)
		FROM users WHERE TRUE`+where+order, args...)
	return collect(rows, err, func(from row) (Usage, error) {
		var u Usage
		var keyUsed time.Time
		err := from.Scan(append(u.columns(),
			timeColumn{&u.LastSeenAt},
			timeColumn{&u.DeletedAt},
			&u.Photos, &u.Bytes,
			timeColumn{&keyUsed})...)
		if keyUsed.After(u.LastSeenAt) {
			u.LastSeenAt = keyUsed
		}
		return u, err
	})
}

// containing is the pattern of LIKE for any text that contains part.
func containing(part string) string { return `%` + beginning(part) }

// beginning is the pattern of LIKE for any text that begins with part.
func beginning(part string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(part) + `%`
}

// FindUsersByEmail gives the open accounts with an e-mail address: people may share
// one. It gives some at most, lest somebody makes us write very many mails.
func (s *Store) FindUsersByEmail(ctx context.Context, email string) ([]User, error) {
	const most = 5
	rows, err := s.db.QueryContext(ctx, `
		SELECT `+userColumns+` FROM users WHERE email = ? AND email <> '' AND disabled = FALSE ORDER BY id LIMIT ?`, email, most)
	users, err := collect(rows, err, scanUser)
	if err != nil {
		return nil, fmt.Errorf("finding users by e-mail: %w", err)
	}
	return users, nil
}

// SetUserEmail replaces an account's e-mail address; "" removes it.
func (s *Store) SetUserEmail(ctx context.Context, id uuid.UUID, email string) error {
	changed, err := s.exec(ctx, `UPDATE users SET email = ? WHERE id = ? AND deleted_at IS NULL`, email, id[:])
	if err == nil && changed == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("setting the e-mail address of user %s: %w", id, err)
	}
	return nil
}

// SetUserRole gives an account a role. The last administrator's stays:
// ErrLastAdministrator.
func (s *Store) SetUserRole(ctx context.Context, id uuid.UUID, role string) error {
	return s.changeUser(ctx, "setting the role of", id, role != roleAdministrator,
		`UPDATE users SET role = ?, admin = ? WHERE id = ? AND deleted_at IS NULL`, role, role == roleAdministrator, id[:])
}

// SetUserDisabled closes an account or opens it again. Its sessions and keys are
// good for nothing while it is closed. The last administrator's stays open.
func (s *Store) SetUserDisabled(ctx context.Context, id uuid.UUID, disabled bool) error {
	return s.changeUser(ctx, "opening or closing", id, disabled,
		`UPDATE users SET disabled = ? WHERE id = ? AND deleted_at IS NULL`, disabled, id[:])
}

// DeleteUser closes an account for good. What it owns is for the caller to remove,
// and the row after that, by RemoveUser. The last administrator stays.
func (s *Store) DeleteUser(ctx context.Context, id uuid.UUID) error {
	return s.changeUser(ctx, "deleting", id, true,
		`UPDATE users SET disabled = TRUE, deleted_at = UTC_TIMESTAMP(6) WHERE id = ? AND deleted_at IS NULL`, id[:])
}

// changeUser does one statement to an account. Those that may cost an administrator
// make sure that there is another one.
func (s *Store) changeUser(ctx context.Context, doing string, id uuid.UUID, costsOne bool, statement string, args ...any) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		if costsOne {
			if err := keepAnAdministrator(ctx, tx, id); err != nil {
				return err
			}
		}
		changed, err := found(tx.ExecContext(ctx, statement, args...))
		if err == nil && !changed {
			return ErrNotFound
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("%s user %s: %w", doing, id, err)
	}
	return nil
}

// keepAnAdministrator locks all of them, so that two cannot remove each other.
func keepAnAdministrator(ctx context.Context, tx *sql.Tx, without uuid.UUID) error {
	rows, err := tx.QueryContext(ctx, `
		SELECT id FROM users WHERE role = ? AND disabled = FALSE ORDER BY id FOR UPDATE`, roleAdministrator)
	all, err := collect(rows, err, func(from row) (id uuid.UUID, err error) {
		err = from.Scan(&id)
		return id, err
	})
	if err != nil {
		return err
	}
	if len(all) == 1 && all[0] == without {
		return ErrLastAdministrator
	}
	return nil
}

// UsersToRemove gives accounts whose deletion began.
func (s *Store) UsersToRemove(ctx context.Context, limit int) ([]uuid.UUID, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM users WHERE deleted_at IS NOT NULL ORDER BY deleted_at LIMIT ?`, limit)
	ids, err := collect(rows, err, func(from row) (id uuid.UUID, err error) {
		err = from.Scan(&id)
		return id, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing users to remove: %w", err)
	}
	return ids, nil
}

// RemoveUser removes the row of an account that is being deleted once it owns no
// photo and no batch, with its keys. While it owns one it says false.
func (s *Store) RemoveUser(ctx context.Context, id uuid.UUID) (bool, error) {
	removed, err := s.exec(ctx, `
		DELETE FROM users WHERE id = ? AND deleted_at IS NOT NULL
			AND NOT EXISTS (SELECT 1 FROM photos WHERE photos.owner_id = ?)
			AND NOT EXISTS (SELECT 1 FROM batches WHERE batches.owner_id = ?)`, id[:], id[:], id[:])
	if err != nil {
		return false, fmt.Errorf("removing user %s: %w", id, err)
	}
	return removed > 0, nil
}

// TouchUser notes that somebody was seen.
func (s *Store) TouchUser(ctx context.Context, id uuid.UUID) error {
	if _, err := s.exec(ctx, `UPDATE users SET last_seen_at = UTC_TIMESTAMP(6) WHERE id = ?`, id[:]); err != nil {
		return fmt.Errorf("noting that user %s was seen: %w", id, err)
	}
	return nil
}
