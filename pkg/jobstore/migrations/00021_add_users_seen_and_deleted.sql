-- +goose NO TRANSACTION

-- +goose Up
ALTER TABLE users
  ADD COLUMN last_seen_at DATETIME(6) NULL COMMENT 'to some minutes',
  ADD COLUMN deleted_at   DATETIME(6) NULL COMMENT 'tombstone: what the account owns, then the row, are being removed',
  ADD KEY users_email (email),
  ADD KEY users_to_remove (deleted_at);

-- +goose Down
ALTER TABLE users
  DROP KEY users_to_remove,
  DROP KEY users_email,
  DROP COLUMN deleted_at,
  DROP COLUMN last_seen_at;
