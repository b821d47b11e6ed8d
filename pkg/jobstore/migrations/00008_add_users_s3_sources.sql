-- +goose NO TRANSACTION

-- +goose Up
ALTER TABLE users ADD COLUMN s3_sources JSON NULL COMMENT 'buckets and prefixes that s3_uri and s3_prefix may name';

-- +goose Down
ALTER TABLE users DROP COLUMN s3_sources;
