-- +goose NO TRANSACTION

-- Operators look through the audit log by who and by what.

-- +goose Up
ALTER TABLE audit_log
  ADD KEY audit_log_actor (actor, id),
  ADD KEY audit_log_action (action, id);

-- +goose Down
ALTER TABLE audit_log
  DROP KEY audit_log_action,
  DROP KEY audit_log_actor;
