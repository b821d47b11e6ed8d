package ingest

import (
	"context"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/jobstore"
)

// audit records what somebody did to an account. What was done stands even if it
// cannot be recorded; then the log has it.
func (s *Service) audit(ctx context.Context, actor, action string, to jobstore.User, detail map[string]string) {
	id, err := uuid.NewV7()
	if err == nil {
		all := map[string]string{"username": to.Username}
		for name, value := range detail {
			all[name] = value
		}
		err = s.store.RecordAudit(ctx, jobstore.Audit{
			ID: id, At: time.Now().UTC(), Actor: actor, Action: action, Subject: to.ID.String(), Detail: all,
		})
	}
	if err != nil {
		s.tel.Log.ErrorContext(ctx, "audit not recorded", "actor", actor, "action", action, "user_id", to.ID, "err", err)
		return
	}
	s.tel.Log.InfoContext(ctx, "account changed", "actor", actor, "action", action, "user_id", to.ID)
}
