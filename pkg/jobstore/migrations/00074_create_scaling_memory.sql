-- +goose NO TRANSACTION

-- What the scaler has learned, so that a restart forgets nothing.

-- +goose Up
CREATE TABLE scaling_memory (
  id       TINYINT         NOT NULL COMMENT 'always 1',
  epoch    BIGINT UNSIGNED NOT NULL COMMENT 'revision of the lease under which it was saved',
  saved_at DATETIME(6)     NOT NULL,
  document MEDIUMTEXT      CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'JSON',

  PRIMARY KEY (id),
  CONSTRAINT scaling_memory_one CHECK (id = 1)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE scaling_memory;
