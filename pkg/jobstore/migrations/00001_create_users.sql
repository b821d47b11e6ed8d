-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE users (
  id             BINARY(16)   NOT NULL,
  username       VARCHAR(100) NOT NULL,
  password       VARCHAR(255) NOT NULL COMMENT 'argon2id, never the password',
  email          VARCHAR(255) NOT NULL,
  role           VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  admin          BOOLEAN      NOT NULL,
  api_registered BOOLEAN      NOT NULL COMMENT 'made by POST /api/register',
  disabled       BOOLEAN      NOT NULL,
  created_at     DATETIME(6)  NOT NULL,
  PRIMARY KEY (id),
  UNIQUE KEY users_username (username)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE users;
