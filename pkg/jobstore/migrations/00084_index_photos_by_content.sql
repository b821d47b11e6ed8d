-- +goose NO TRANSACTION

-- Operators ask where else a file came in. Sixteen characters tell files apart.

-- +goose Up
ALTER TABLE photos ADD KEY photos_of_content (sha256(16));

-- +goose Down
ALTER TABLE photos DROP KEY photos_of_content;
