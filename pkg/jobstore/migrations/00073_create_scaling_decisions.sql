-- +goose NO TRANSACTION

-- A row is a run of decisions, one after the other, that came to the same; the
-- document is the last of them.

-- +goose Up
CREATE TABLE scaling_decisions (
  id         BINARY(16)  NOT NULL,
  begun_at   DATETIME(6) NOT NULL COMMENT 'the first of the run',
  ended_at   DATETIME(6) NOT NULL COMMENT 'the last so far',
  ticks      INT         NOT NULL COMMENT 'how many there were',
  policy     VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  version    INT         NOT NULL COMMENT 'of the policy document',
  size       INT         NOT NULL COMMENT 'instances there were',
  target     INT         NOT NULL COMMENT 'instances there should be',
  decided    VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the want that decided',
  blind      BOOLEAN     NOT NULL COMMENT 'the readings were not trusted',
  overridden BOOLEAN     NOT NULL COMMENT 'a person decided',
  reason     TEXT        NOT NULL,
  document   MEDIUMTEXT  CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'the whole decision, as JSON',

  PRIMARY KEY (id),
  KEY scaling_decisions_by_end (ended_at)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE scaling_decisions;
