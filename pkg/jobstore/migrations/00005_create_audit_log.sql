-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE audit_log (
  id      BINARY(16)   NOT NULL,
  at      DATETIME(6)  NOT NULL,
  actor   VARCHAR(100) NOT NULL COMMENT 'a name that outlives the account',
  action  VARCHAR(64)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject VARCHAR(255) NOT NULL,
  detail  JSON         NULL,
  PRIMARY KEY (id),
  KEY audit_log_subject (subject, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE audit_log;
