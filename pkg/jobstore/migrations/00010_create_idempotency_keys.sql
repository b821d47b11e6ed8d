-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE idempotency_keys (
  owner_id     BINARY(16)  NOT NULL,
  key_hash     BINARY(32)  NOT NULL COMMENT 'SHA-256 of the address and the client''s key',
  id           BINARY(16)  NOT NULL COMMENT 'of what the request makes',
  holder       BINARY(16)  NOT NULL COMMENT 'the request that is at work on it',
  locked_until DATETIME(6) NULL     COMMENT 'until then nobody else is; NULL: nobody',
  fingerprint  BINARY(32)  NULL     COMMENT 'SHA-256 of what was asked; NULL until it is known',
  status       SMALLINT    NULL     COMMENT 'of the answer; NULL until there is one',
  header       JSON        NULL,
  body         MEDIUMBLOB  NULL,
  created_at   DATETIME(6) NOT NULL,

  PRIMARY KEY (owner_id, key_hash),
  KEY idempotency_keys_past (created_at),
  CONSTRAINT idempotency_keys_owner FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE idempotency_keys;
