-- +goose NO TRANSACTION

-- +goose Up
ALTER TABLE batches
  ADD COLUMN announced INT NOT NULL DEFAULT 0 COMMENT 'at most how many items it will have, while they are not counted' AFTER touched_at;

-- +goose Down
ALTER TABLE batches DROP COLUMN announced;
