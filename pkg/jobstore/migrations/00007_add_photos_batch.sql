-- +goose NO TRANSACTION

-- No foreign key leads to batches: storing a photo would lock its batch before the
-- photo, and the order is photo, then batch.

-- +goose Up
ALTER TABLE photos
  ADD COLUMN batch_id   BINARY(16)    NULL AFTER lane,
  ADD COLUMN batch_line INT           NULL AFTER batch_id,
  ADD COLUMN custom_id  VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL DEFAULT '' AFTER batch_line,
  ADD COLUMN run        INT           NOT NULL DEFAULT 0 COMMENT 'of the batch, in which it was queued last' AFTER custom_id,
  ADD UNIQUE KEY photos_of_batch (batch_id, batch_line),
  DROP KEY photos_to_publish,
  ADD KEY photos_to_publish (batch_id, state, confirmed_at, run_at, deleted_at),
  ADD KEY photos_by_state (state, finished_at, run_at, deleted_at);

-- +goose Down
ALTER TABLE photos
  DROP KEY photos_by_state,
  DROP KEY photos_to_publish,
  ADD KEY photos_to_publish (state, confirmed_at, run_at, deleted_at),
  DROP KEY photos_of_batch,
  DROP COLUMN run,
  DROP COLUMN custom_id,
  DROP COLUMN batch_line,
  DROP COLUMN batch_id;
