package jobstore

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// OpenUploads notes that an account gets links for uploads, good for the given time,
// if together with those that it has open it has no more than most. Else nothing is
// noted. Either way it says how many were open before.
func (s *Store) OpenUploads(ctx context.Context, ownerID uuid.UUID, ids []uuid.UUID, goodFor time.Duration, most int) (before int, ok bool, err error) {
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		var one int // the account's requests come one after the other: none counts past another
		if err := tx.QueryRowContext(ctx, `SELECT 1 FROM users WHERE id = ? FOR UPDATE`, ownerID[:]).Scan(&one); err != nil {
			return err
		}
		err := tx.QueryRowContext(ctx, `SELECT COUNT(*) FROM uploads WHERE owner_id = ? AND expires_at > UTC_TIMESTAMP(6)`, ownerID[:]).Scan(&before)
		if ok = err == nil && before+len(ids) <= most; !ok || len(ids) == 0 {
			return err
		}
		var args []any
		for _, id := range ids {
			args = append(args, id[:], ownerID[:], goodFor.Microseconds())
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO uploads (id, owner_id, expires_at)
			VALUES `+list(`(?, ?, UTC_TIMESTAMP(6) + INTERVAL ? MICROSECOND)`, len(ids)), args...)
		return err
	})
	if err != nil {
		return 0, false, fmt.Errorf("opening uploads of %s: %w", ownerID, err)
	}
	return before, ok, nil
}

// UseUploads closes the uploads that photos of one owner name.
func (s *Store) UseUploads(ctx context.Context, photos ...job.Photo) error {
	statement, args := useUploads(photos)
	if len(args) == 0 {
		return nil
	}
	if _, err := s.exec(ctx, statement, args...); err != nil {
		return fmt.Errorf("closing uploads of %s: %w", photos[0].OwnerID, err)
	}
	return nil
}

// useUploads is the statement that closes the uploads named; without arguments where
// none is.
func useUploads(photos []job.Photo) (statement string, args []any) {
	for _, p := range photos {
		if p.Source != job.SourceSigned {
			continue
		}
		id, err := uuid.Parse(p.Link)
		if err != nil {
			continue // the worker will say so
		}
		if len(args) == 0 {
			args = append(args, p.OwnerID[:])
		}
		args = append(args, id[:])
	}
	if len(args) == 0 {
		return "", nil
	}
	return `DELETE FROM uploads WHERE owner_id = ? AND id IN (` + list(`?`, len(args)-1) + `)`, args
}

// SweepUploads forgets uploads that are expired, at most limit of them, and says how
// many.
func (s *Store) SweepUploads(ctx context.Context, limit int) (int, error) {
	rows, err := s.exec(ctx, `DELETE FROM uploads WHERE expires_at <= UTC_TIMESTAMP(6) LIMIT ?`, limit)
	if err != nil {
		return 0, fmt.Errorf("forgetting uploads: %w", err)
	}
	return int(rows), nil
}
