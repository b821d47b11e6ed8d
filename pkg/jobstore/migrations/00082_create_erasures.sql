-- +goose NO TRANSACTION

-- An erasure outlives the process that does it: any manager goes on with it.

-- +goose Up
CREATE TABLE erasures (
  id          BINARY(16)   NOT NULL,
  what        VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'everything, owner, batch or before',
  owner_id    BINARY(16)   NULL,
  batch_id    BINARY(16)   NULL,
  until_at    DATETIME(6)  NOT NULL COMMENT 'nothing accepted at or after it is touched',
  words       VARCHAR(255) NOT NULL COMMENT 'what was typed to confirm it',
  asked_by    VARCHAR(100) NOT NULL,
  via         VARCHAR(16)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at  DATETIME(6)  NOT NULL,
  finished_at DATETIME(6)  NULL,
  holder      VARCHAR(100) NOT NULL DEFAULT '' COMMENT 'who is at it',
  held_until  DATETIME(6)  NULL COMMENT 'and until when nobody else is',
  document    MEDIUMTEXT   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'what was found, done and left, as JSON',

  PRIMARY KEY (id),
  KEY erasures_open (finished_at, id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE erasures;
