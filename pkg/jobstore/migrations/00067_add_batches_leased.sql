-- +goose NO TRANSACTION

-- +goose Up
ALTER TABLE batches
  ADD COLUMN leased_at DATETIME(6) NULL COMMENT 'when an expander last took it: the turn of its owner' AFTER expander_until;

-- +goose Down
ALTER TABLE batches DROP COLUMN leased_at;
