-- +goose NO TRANSACTION

-- +goose Up
ALTER TABLE webhooks
  ADD COLUMN rotation BINARY(16) NOT NULL DEFAULT 0x00000000000000000000000000000000
    COMMENT 'id of the request that gave it its secret, zero for the first' AFTER previous_until;

-- +goose Down
ALTER TABLE webhooks DROP COLUMN rotation;
