package jobstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// Audit is the record of something a person or a service did.
type Audit struct {
	ID      uuid.UUID // UUIDv7
	At      time.Time
	Actor   string // the name of an account or service; it may be gone by now
	Action  string // such as "user.create"
	Subject string // what it was done to, such as an id
	Detail  map[string]string
}

// RecordAudit adds a record; records are never changed.
func (s *Store) RecordAudit(ctx context.Context, a Audit) error {
	detail, err := encodeMap(a.Detail)
	if err != nil {
		return fmt.Errorf("recording %s: %w", a.Action, err)
	}
	_, err = s.exec(ctx, `INSERT INTO audit_log (id, at, actor, action, subject, detail) VALUES (?, ?, ?, ?, ?, ?)`,
		a.ID[:], a.At, a.Actor, a.Action, a.Subject, detail)
	if err != nil {
		return fmt.Errorf("recording %s: %w", a.Action, err)
	}
	return nil
}

// ListAudit gives the newest records, the newest first.
func (s *Store) ListAudit(ctx context.Context, limit int) ([]Audit, error) {
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, actor, action, subject, detail FROM audit_log ORDER BY id DESC LIMIT ?`, limit)
	records, err := collect(rows, err, func(from row) (Audit, error) {
		var a Audit
		err := from.Scan(&a.ID, &a.At, &a.Actor, &a.Action, &a.Subject, mapColumn{&a.Detail})
		return a, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing the audit log: %w", err)
	}
	return records, nil
}
