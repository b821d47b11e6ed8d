-- +goose NO TRANSACTION

-- Operators list all owners' photos by what ended them, by lane and by worker, a page
-- at a time and the newest first, however many there are.

-- +goose Up
ALTER TABLE photos
  ADD KEY photos_failed_with (failure_code, id),
  ADD KEY photos_in_lane (lane, id),
  ADD KEY photos_of_worker (worker_id, id);

-- +goose Down
ALTER TABLE photos
  DROP KEY photos_of_worker,
  DROP KEY photos_in_lane,
  DROP KEY photos_failed_with;
