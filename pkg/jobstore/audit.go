package jobstore

import (
	"context"
	"fmt"
	"strings"
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
	return s.SearchAudit(ctx, AuditFilter{Limit: limit})
}

// AuditFilter picks records; its zero fields do not restrict.
type AuditFilter struct {
	Actor    string
	Action   string // or what it begins with: "jobs."
	Subject  string
	Via      string    // by which way it was asked for, as its detail says
	From, To time.Time // at or after, and before, to the millisecond
	Before   uuid.UUID // the last record of the page before this one
	Limit    int       // required, at least 1
}

// SearchAudit gives the records, the newest first.
func (s *Store) SearchAudit(ctx context.Context, f AuditFilter) ([]Audit, error) {
	conditions, args := []string{`TRUE`}, []any{}
	and := func(wanted bool, condition string, values ...any) {
		if wanted {
			conditions, args = append(conditions, condition), append(args, values...)
		}
	}
	and(f.Actor != "", `actor = ?`, f.Actor)
	and(f.Action != "", `action LIKE ?`, beginning(f.Action))
	and(f.Subject != "", `subject = ?`, f.Subject)
	and(f.Via != "", `JSON_UNQUOTE(JSON_EXTRACT(detail, '$.via')) = ?`, f.Via)
	and(!f.From.IsZero(), `id >= ?`, firstID(f.From))
	and(!f.To.IsZero(), `id < ?`, firstID(f.To))
	and(f.Before != uuid.UUID{}, `id < ?`, f.Before[:])
	rows, err := s.db.QueryContext(ctx, `SELECT id, at, actor, action, subject, detail FROM audit_log WHERE `+
		strings.Join(conditions, ` AND `)+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
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
