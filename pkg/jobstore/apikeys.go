package jobstore

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// APIKey is a key of an account. The key itself is nowhere stored.
type APIKey struct {
	ID, UserID uuid.UUID
	Name       string
	Hash       [sha256.Size]byte
	Prefix     string // the first characters of the key, to know it by
	Scopes     []string
	CreatedAt  time.Time
	RevokedAt  time.Time // zero while it is valid
	LastUsedAt time.Time // to the minute; zero if never
}

const keyColumns = `api_keys.id, api_keys.user_id, api_keys.name, api_keys.hash, api_keys.prefix, api_keys.scopes,
	api_keys.created_at, api_keys.revoked_at, api_keys.last_used_at`

func (k *APIKey) columns() []any {
	return []any{
		&k.ID, &k.UserID, &k.Name,
		hashColumn{&k.Hash},
		&k.Prefix,
		listColumn{&k.Scopes},
		&k.CreatedAt,
		timeColumn{&k.RevokedAt},
		timeColumn{&k.LastUsedAt},
	}
}

type hashColumn struct{ to *[sha256.Size]byte }

func (c hashColumn) Scan(value any) error {
	b, ok := value.([]byte)
	if !ok || len(b) != len(c.to) {
		return fmt.Errorf("reading a hash from a %T of %d bytes", value, len(b))
	}
	copy(c.to[:], b)
	return nil
}

// CreateAPIKey stores a new key.
func (s *Store) CreateAPIKey(ctx context.Context, k APIKey) error {
	scopes, err := json.Marshal(k.Scopes)
	if err != nil {
		return fmt.Errorf("creating API key %s: %w", k.ID, err)
	}
	_, err = s.exec(ctx, `
		INSERT INTO api_keys (id, user_id, name, hash, prefix, scopes, created_at) VALUES (?, ?, ?, ?, ?, ?, ?)`,
		k.ID[:], k.UserID[:], k.Name, k.Hash[:], k.Prefix, string(scopes), k.CreatedAt)
	if err != nil {
		return fmt.Errorf("creating API key %s: %w", k.ID, err)
	}
	return nil
}

// FindAPIKey finds a valid key by its hash, with the account it belongs to. A
// revoked key is ErrNotFound; that the account is disabled is for the caller to see.
func (s *Store) FindAPIKey(ctx context.Context, hash [sha256.Size]byte) (APIKey, User, error) {
	var k APIKey
	var u User
	err := s.db.QueryRowContext(ctx, `
		SELECT `+keyColumns+`, `+userColumns+`
		FROM api_keys JOIN users ON users.id = api_keys.user_id
		WHERE api_keys.hash = ? AND api_keys.revoked_at IS NULL`, hash[:]).
		Scan(append(k.columns(), u.columns()...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return APIKey{}, User{}, ErrNotFound
	}
	if err != nil {
		return APIKey{}, User{}, fmt.Errorf("finding an API key: %w", classify(err))
	}
	return k, u, nil
}

// ListAPIKeys gives the keys of an account, revoked ones too, the newest first.
func (s *Store) ListAPIKeys(ctx context.Context, userID uuid.UUID) ([]APIKey, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+keyColumns+` FROM api_keys WHERE user_id = ? ORDER BY id DESC`, userID[:])
	keys, err := collect(rows, err, func(from row) (APIKey, error) {
		var k APIKey
		err := from.Scan(k.columns()...)
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing API keys of %s: %w", userID, err)
	}
	return keys, nil
}

// RevokeAPIKey ends the validity of an account's key. Of another account's key, an
// unknown or a revoked one it says ErrNotFound.
func (s *Store) RevokeAPIKey(ctx context.Context, userID, keyID uuid.UUID) error {
	found, err := s.exec(ctx, `
		UPDATE api_keys SET revoked_at = UTC_TIMESTAMP(6) WHERE id = ? AND user_id = ? AND revoked_at IS NULL`,
		keyID[:], userID[:])
	if err == nil && found == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("revoking API key %s: %w", keyID, err)
	}
	return nil
}

// TouchAPIKey notes that a key was used, at most once a minute.
func (s *Store) TouchAPIKey(ctx context.Context, keyID uuid.UUID) error {
	_, err := s.exec(ctx, `
		UPDATE api_keys SET last_used_at = UTC_TIMESTAMP(6)
		WHERE id = ? AND (last_used_at IS NULL OR last_used_at <= UTC_TIMESTAMP(6) - INTERVAL 1 MINUTE)`, keyID[:])
	if err != nil {
		return fmt.Errorf("noting the use of API key %s: %w", keyID, err)
	}
	return nil
}
