-- +goose NO TRANSACTION

-- One door sweeps for all, and whoever looks at Health asks another process.

-- +goose Up
CREATE TABLE sweeps (
  id       BIGINT UNSIGNED NOT NULL AUTO_INCREMENT,
  swept_at DATETIME(6)     NOT NULL,
  days     INT UNSIGNED    NOT NULL COMMENT 'of the bucket that were held against the rows',
  objects  INT UNSIGNED    NOT NULL,
  orphans  INT UNSIGNED    NOT NULL COMMENT 'objects that no row names, removed',
  missing  INT UNSIGNED    NOT NULL COMMENT 'objects that a row names and that are not there',

  PRIMARY KEY (id),
  KEY sweeps_at (swept_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE sweeps;
