-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE password_resets (
  hash       BINARY(32)  NOT NULL COMMENT 'SHA-256 of the token in the link',
  user_id    BINARY(16)  NOT NULL,
  purpose    VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'recovery or invitation',
  created_at DATETIME(6) NOT NULL,
  expires_at DATETIME(6) NOT NULL,
  PRIMARY KEY (hash),
  KEY password_resets_expired (expires_at),
  CONSTRAINT password_resets_of_user FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE password_resets;
