-- +goose NO TRANSACTION

-- A kept answer goes with what it tells of.

-- +goose Up
ALTER TABLE idempotency_keys
  ADD COLUMN about BINARY(16) NULL COMMENT 'the photo, batch or webhook in the address, else what the request makes' AFTER id,
  ADD KEY idempotency_keys_about (about);

-- +goose Down
ALTER TABLE idempotency_keys
  DROP KEY idempotency_keys_about,
  DROP COLUMN about;
