package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ScalingDecision is a run of decisions, one after the other, that came to the same.
type ScalingDecision struct {
	ID         uuid.UUID // UUIDv7 of the first
	BegunAt    time.Time
	EndedAt    time.Time // of the last so far
	Ticks      int       // how many there were
	Policy     string
	Version    int // of the policy document
	Size       int // instances there were
	Target     int // instances there should be
	Decided    string
	Blind      bool
	Overridden bool
	Reason     string // of the last
	Document   []byte // the whole of the last, as JSON
}

// WriteDecision stores a run, or how it goes on.
func (s *Store) WriteDecision(ctx context.Context, d ScalingDecision) error {
	_, err := s.exec(ctx, `
		INSERT INTO scaling_decisions (id, begun_at, ended_at, ticks, policy, version, size, target, decided, blind, overridden, reason, document)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON DUPLICATE KEY UPDATE ended_at = VALUES(ended_at), ticks = VALUES(ticks), reason = VALUES(reason), document = VALUES(document)`,
		d.ID[:], d.BegunAt, d.EndedAt, d.Ticks, d.Policy, d.Version, d.Size, d.Target, d.Decided, d.Blind, d.Overridden, d.Reason, string(d.Document))
	if err != nil {
		return fmt.Errorf("writing a scaling decision: %w", err)
	}
	return nil
}

// DecisionFilter picks decisions; its zero fields do not restrict.
type DecisionFilter struct {
	Before  uuid.UUID // the last of the page before this one
	Since   time.Time // still made at or after
	Changes bool      // only those that wanted another size than there was
	Limit   int       // required, at least 1
}

// ListDecisions gives the newest first.
func (s *Store) ListDecisions(ctx context.Context, f DecisionFilter) ([]ScalingDecision, error) {
	where, args := ` WHERE TRUE`, []any{}
	if f.Before != (uuid.UUID{}) {
		where, args = where+` AND id < ?`, append(args, f.Before[:])
	}
	if !f.Since.IsZero() {
		where, args = where+` AND ended_at >= ?`, append(args, f.Since)
	}
	if f.Changes {
		where += ` AND target <> size`
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT id, begun_at, ended_at, ticks, policy, version, size, target, decided, blind, overridden, reason, document
		FROM scaling_decisions`+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	found, err := collect(rows, err, func(from row) (d ScalingDecision, err error) {
		err = from.Scan(&d.ID, &d.BegunAt, &d.EndedAt, &d.Ticks, &d.Policy, &d.Version, &d.Size, &d.Target, &d.Decided,
			&d.Blind, &d.Overridden, &d.Reason, &d.Document)
		return d, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing scaling decisions: %w", err)
	}
	return found, nil
}

// PurgeDecisions forgets those that were made last longer than age ago.
func (s *Store) PurgeDecisions(ctx context.Context, age time.Duration) error {
	_, err := s.exec(ctx, `DELETE FROM scaling_decisions WHERE ended_at < UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND`, age.Microseconds())
	if err != nil {
		return fmt.Errorf("purging scaling decisions: %w", err)
	}
	return nil
}

// SaveScalingMemory stores what the scaler has learned. A newer leader's stays.
func (s *Store) SaveScalingMemory(ctx context.Context, epoch uint64, document []byte) error {
	_, err := s.exec(ctx, `
		INSERT INTO scaling_memory (id, epoch, saved_at, document) VALUES (1, ?, UTC_TIMESTAMP(6), ?)
		ON DUPLICATE KEY UPDATE
			document = IF(epoch <= VALUES(epoch), VALUES(document), document),
			saved_at = IF(epoch <= VALUES(epoch), VALUES(saved_at), saved_at),
			epoch = GREATEST(epoch, VALUES(epoch))`, epoch, string(document))
	if err != nil {
		return fmt.Errorf("saving the scaler's memory: %w", err)
	}
	return nil
}

// LoadScalingMemory gives what was saved last; nil if nothing was.
func (s *Store) LoadScalingMemory(ctx context.Context) (document []byte, err error) {
	err = s.db.QueryRowContext(ctx, `SELECT document FROM scaling_memory WHERE id = 1`).Scan(&document)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("loading the scaler's memory: %w", classify(err))
	}
	return document, nil
}
