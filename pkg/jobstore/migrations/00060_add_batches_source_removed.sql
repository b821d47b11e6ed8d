-- +goose NO TRANSACTION

-- What a batch was made of goes as soon as it is of no use any more, long before the
-- batch does.

-- +goose Up
ALTER TABLE batches
  ADD COLUMN source_removed_at DATETIME(6) NULL COMMENT 'when manifest and archive were removed; NULL: they may be there' AFTER deleted_at,
  ADD KEY batches_with_source (source_removed_at, state);

-- +goose Down
ALTER TABLE batches
  DROP KEY batches_with_source,
  DROP COLUMN source_removed_at;
