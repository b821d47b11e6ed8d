-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE api_keys (
  id           BINARY(16)   NOT NULL,
  user_id      BINARY(16)   NOT NULL,
  name         VARCHAR(100) NOT NULL,
  hash         BINARY(32)   NOT NULL COMMENT 'SHA-256 of the key',
  prefix       VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'start of the key, to know it by',
  scopes       JSON         NOT NULL,
  created_at   DATETIME(6)  NOT NULL,
  revoked_at   DATETIME(6)  NULL,
  last_used_at DATETIME(6)  NULL COMMENT 'to the minute',
  PRIMARY KEY (id),
  UNIQUE KEY api_keys_hash (hash),
  KEY api_keys_user (user_id, id),
  CONSTRAINT api_keys_of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE api_keys;
