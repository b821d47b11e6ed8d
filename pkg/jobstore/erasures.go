package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Erasure is the removal of many photos that somebody asked for.
type Erasure struct {
	ID         uuid.UUID // UUIDv7
	What       string
	OwnerID    uuid.UUID // zero: of all owners
	BatchID    uuid.UUID // zero: in whatever batch
	Until      time.Time // nothing accepted at or after it
	Words      string
	AskedBy    string
	Via        string
	CreatedAt  time.Time
	FinishedAt time.Time // zero: it goes on
	Document   []byte    // JSON, the manager's own
}

// Search finds what is still to be marked.
func (e Erasure) Search() Search {
	return Search{OwnerID: e.OwnerID, BatchID: e.BatchID, To: e.Until}
}

const erasureColumns = `id, what, owner_id, batch_id, until_at, words, asked_by, via, created_at, finished_at, document`

func scanErasure(from row) (e Erasure, err error) {
	err = from.Scan(&e.ID, &e.What, idColumn{&e.OwnerID}, idColumn{&e.BatchID}, &e.Until, &e.Words, &e.AskedBy, &e.Via,
		&e.CreatedAt, timeColumn{&e.FinishedAt}, &e.Document)
	return e, err
}

// BeginErasure writes it down; whoever takes it does it.
func (s *Store) BeginErasure(ctx context.Context, e Erasure) error {
	_, err := s.exec(ctx, `
		INSERT INTO erasures (id, what, owner_id, batch_id, until_at, words, asked_by, via, created_at, document)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		e.ID[:], e.What, idOrNull(e.OwnerID), idOrNull(e.BatchID), e.Until, e.Words, e.AskedBy, e.Via, e.CreatedAt, string(e.Document))
	if err != nil {
		return fmt.Errorf("beginning an erasure: %w", err)
	}
	return nil
}

// ListErasures gives the newest first.
func (s *Store) ListErasures(ctx context.Context, limit int) ([]Erasure, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT `+erasureColumns+` FROM erasures ORDER BY id DESC LIMIT ?`, limit)
	found, err := collect(rows, err, scanErasure)
	if err != nil {
		return nil, fmt.Errorf("listing erasures: %w", err)
	}
	return found, nil
}

// TakeErasure gives the oldest erasure that goes on, for the time of the lease, unless
// somebody else has it: ErrNotFound. Taken again by its holder, its lease is renewed.
func (s *Store) TakeErasure(ctx context.Context, holder string, lease time.Duration) (Erasure, error) {
	e, err := scanErasure(s.db.QueryRowContext(ctx, `SELECT `+erasureColumns+` FROM erasures
		WHERE finished_at IS NULL AND (holder = ? OR held_until IS NULL OR held_until < UTC_TIMESTAMP(6)) ORDER BY id LIMIT 1`, holder))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return Erasure{}, fmt.Errorf("taking an erasure: %w", classify(err))
	}
	taken, err := s.exec(ctx, `
		UPDATE erasures SET holder = ?, held_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND
		WHERE id = ? AND finished_at IS NULL AND (holder = ? OR held_until IS NULL OR held_until < UTC_TIMESTAMP(6))`,
		holder, lease.Microseconds(), e.ID[:], holder)
	if err == nil && taken == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return Erasure{}, fmt.Errorf("taking an erasure: %w", err)
	}
	return e, nil
}

// SaveErasure notes how far its holder is, renews the lease, and ends the erasure if it
// is done. Of one that another holds meanwhile it changes nothing: ErrNotFound.
func (s *Store) SaveErasure(ctx context.Context, id uuid.UUID, holder string, lease time.Duration, document []byte, done bool) error {
	saved, err := s.exec(ctx, `
		UPDATE erasures SET document = ?, held_until = UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND, finished_at = IF(?, UTC_TIMESTAMP(6), NULL)
		WHERE id = ? AND holder = ? AND finished_at IS NULL`, string(document), lease.Microseconds(), done, id[:], holder)
	if err == nil && saved == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("saving erasure %s: %w", id, err)
	}
	return nil
}

// BatchesToErase gives batches of an erasure that have no tombstone yet, the oldest
// first.
func (s *Store) BatchesToErase(ctx context.Context, e Erasure, limit int) ([]uuid.UUID, error) {
	where, args := e.batches(`deleted_at IS NULL`)
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM batches`+where+` ORDER BY id LIMIT ?`, append(args, limit)...)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("listing batches to erase: %w", err)
	}
	return ids, nil
}

// CountBatchesToErase counts them.
func (s *Store) CountBatchesToErase(ctx context.Context, e Erasure) (n int, err error) {
	where, args := e.batches(`deleted_at IS NULL`)
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM batches`+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting batches to erase: %w", classify(err))
	}
	return n, nil
}

// LeftOf counts the photos and batches of an erasure that have their tombstone and are
// still being removed.
func (s *Store) LeftOf(ctx context.Context, e Erasure) (photos, batches int, err error) {
	where, args := ` WHERE deleted_at IS NOT NULL AND id < ?`, []any{firstID(e.Until)}
	if e.OwnerID != (uuid.UUID{}) {
		where, args = where+` AND owner_id = ?`, append(args, e.OwnerID[:])
	}
	if e.BatchID != (uuid.UUID{}) {
		where, args = where+` AND batch_id = ?`, append(args, e.BatchID[:])
	}
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM photos`+where, args...).Scan(&photos)
	if err == nil {
		where, args = e.batches(`deleted_at IS NOT NULL`)
		err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM batches`+where, args...).Scan(&batches)
	}
	if err != nil {
		return 0, 0, fmt.Errorf("counting what is left: %w", classify(err))
	}
	return photos, batches, nil
}

func (e Erasure) batches(condition string) (string, []any) {
	where, args := ` WHERE `+condition+` AND id < ?`, []any{firstID(e.Until)}
	if e.OwnerID != (uuid.UUID{}) {
		where, args = where+` AND owner_id = ?`, append(args, e.OwnerID[:])
	}
	if e.BatchID != (uuid.UUID{}) {
		where, args = where+` AND id = ?`, append(args, e.BatchID[:])
	}
	return where, args
}
