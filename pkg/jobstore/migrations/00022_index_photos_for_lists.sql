-- +goose NO TRANSACTION

-- The counts of the four lists are read from the index alone; what is to expire is
-- found by lane and end.

-- +goose Up
ALTER TABLE photos
  ADD KEY photos_of_owner_in_list (owner_id, category, deleted_at, id),
  ADD KEY photos_to_expire (lane, finished_at),
  DROP KEY photos_of_owner_by_category;

-- +goose Down
ALTER TABLE photos
  ADD KEY photos_of_owner_by_category (owner_id, category, id),
  DROP KEY photos_to_expire,
  DROP KEY photos_of_owner_in_list;
