package jobstore

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// S3Sources gives what an account may name as s3_uri and s3_prefix; without an entry,
// nothing.
func (s *Store) S3Sources(ctx context.Context, userID uuid.UUID) (job.S3Sources, error) {
	var sources []string
	err := s.db.QueryRowContext(ctx, `SELECT s3_sources FROM users WHERE id = ?`, userID[:]).Scan(listColumn{&sources})
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("reading the S3 sources of %s: %w", userID, classify(err))
	}
	return sources, nil
}

// SetS3Sources replaces what an account may name.
func (s *Store) SetS3Sources(ctx context.Context, userID uuid.UUID, sources job.S3Sources) error {
	if err := sources.Validate(); err != nil {
		return fmt.Errorf("setting the S3 sources of %s: %w", userID, err)
	}
	text, err := json.Marshal(sources)
	var rows int64
	if err == nil {
		rows, err = s.exec(ctx, `UPDATE users SET s3_sources = ? WHERE id = ?`, string(text), userID[:])
	}
	if err == nil && rows == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return fmt.Errorf("setting the S3 sources of %s: %w", userID, err)
	}
	return nil
}
