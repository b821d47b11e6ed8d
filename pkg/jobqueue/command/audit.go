package command

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

const (
	recordTimeout = 2 * time.Second
	keptBytes     = 2048 // of a request or an answer
)

// recorder keeps the audit log.
type recorder interface {
	RecordAudit(ctx context.Context, a jobstore.Audit) error
}

// announcer tells live pages.
type announcer interface {
	AnnounceAudit(ctx context.Context, action string, record any)
}

// books hold what was done.
type books struct {
	records recorder
	events  announcer
	log     *slog.Logger
}

// entry is one command that was obeyed, or failed on the way.
type entry struct {
	by              Asker
	action, subject string
	request, answer []byte
	err             error
}

// write records who did what and what came of it. What was done stands even if it
// cannot be recorded; then the log has it.
func (b *books) write(ctx context.Context, e entry) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	record := jobstore.Audit{
		At: time.Now().UTC(), Actor: e.by.Name, Action: e.action, Subject: e.subject,
		Detail: map[string]string{"via": string(e.by.Via), "outcome": "done", "request": kept(e.request)},
	}
	if e.by.Host != "" {
		record.Detail["host"] = e.by.Host
	}
	if e.err != nil {
		record.Detail["outcome"] = problemFor(e.err).Code
	} else {
		record.Detail["answer"] = kept(e.answer)
	}
	var err error
	if record.ID, err = uuid.NewV7(); err == nil {
		err = b.records.RecordAudit(ctx, record)
	}
	if err != nil {
		b.log.ErrorContext(ctx, "audit not recorded", "err", err,
			"actor", record.Actor, "action", record.Action, "subject", record.Subject, "detail", record.Detail)
	} else {
		b.log.InfoContext(ctx, "command done", "actor", record.Actor, "action", record.Action,
			"subject", record.Subject, "outcome", record.Detail["outcome"])
	}
	b.events.AnnounceAudit(ctx, e.action, struct {
		ID      uuid.UUID         `json:"id"`
		At      time.Time         `json:"at"`
		Actor   string            `json:"actor"`
		Action  string            `json:"action"`
		Subject string            `json:"subject,omitempty"`
		Detail  map[string]string `json:"detail"`
	}(record))
}

func kept(text []byte) string {
	return strings.ToValidUTF8(string(text[:min(len(text), keptBytes)]), "")
}
