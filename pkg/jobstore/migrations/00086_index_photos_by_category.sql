-- +goose NO TRANSACTION

-- Operators list all owners' photos of one of the four lists, too.

-- +goose Up
ALTER TABLE photos ADD KEY photos_in_category (category, id);

-- +goose Down
ALTER TABLE photos DROP KEY photos_in_category;
