-- Nobody could give a batch either.

-- +goose Up
ALTER TABLE batches DROP COLUMN name, DROP COLUMN metadata;

-- +goose Down
ALTER TABLE batches
  ADD COLUMN name     VARCHAR(255) NOT NULL DEFAULT '',
  ADD COLUMN metadata TEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NULL;
