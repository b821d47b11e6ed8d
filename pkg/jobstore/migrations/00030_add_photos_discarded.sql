-- +goose NO TRANSACTION

-- Operators go through all owners' photos by state, and put failures aside that they
-- have dealt with.

-- +goose Up
ALTER TABLE photos
  ADD COLUMN discarded_at DATETIME(6) NULL COMMENT 'an operator put this failure aside' AFTER dead_lettered_at,
  ADD KEY photos_in_state (state, id);

-- +goose Down
ALTER TABLE photos
  DROP KEY photos_in_state,
  DROP COLUMN discarded_at;
