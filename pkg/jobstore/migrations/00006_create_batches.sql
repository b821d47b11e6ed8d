-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE batches (
  id             BINARY(16)    NOT NULL,
  owner_id       BINARY(16)    NOT NULL,
  state          VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  run            INT           NOT NULL DEFAULT 1,

  source         VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  source_key     VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  prefix         VARCHAR(1200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name           VARCHAR(255)  NOT NULL,
  metadata       JSON          NULL,
  trace_parent   VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  window_us      BIGINT        NOT NULL,
  created_at     DATETIME(6)   NOT NULL,
  started_at     DATETIME(6)   NULL,
  finished_at    DATETIME(6)   NULL COMMENT 'when it became terminal',
  expires_at     DATETIME(6)   NOT NULL COMMENT 'when the window of this run is over',
  touched_at     DATETIME(6)   NOT NULL,
  deleted_at     DATETIME(6)   NULL COMMENT 'tombstone: items, objects, then the row, are being removed',

  total          INT           NOT NULL DEFAULT 0,
  remaining      INT           NOT NULL DEFAULT 0,
  succeeded      INT           NOT NULL DEFAULT 0,
  failed         INT           NOT NULL DEFAULT 0,
  cancelled      INT           NOT NULL DEFAULT 0,
  expired        INT           NOT NULL DEFAULT 0,
  no_faces       INT           NOT NULL DEFAULT 0,
  all_masked     INT           NOT NULL DEFAULT 0,
  none_masked    INT           NOT NULL DEFAULT 0,
  some_masked    INT           NOT NULL DEFAULT 0,
  num_faces      INT           NOT NULL DEFAULT 0,
  num_masked     INT           NOT NULL DEFAULT 0,
  num_unmasked   INT           NOT NULL DEFAULT 0,

  failure        JSON          NULL,
  expander       VARCHAR(100)  NOT NULL DEFAULT '' COMMENT 'who expands it',
  expander_until DATETIME(6)   NULL COMMENT 'and until when nobody else does',
  expander_tries INT           NOT NULL DEFAULT 0,
  expanded_lines INT           NOT NULL DEFAULT 0 COMMENT 'up to this line every item has its row',

  PRIMARY KEY (id),
  KEY batches_of_owner (owner_id, id),
  KEY batches_by_state (state, remaining, expires_at),
  KEY batches_to_remove (deleted_at),
  CONSTRAINT batches_owner FOREIGN KEY (owner_id) REFERENCES users (id),
  CONSTRAINT batches_counts CHECK (remaining + succeeded + failed + cancelled + expired = total),
  CONSTRAINT batches_signs CHECK (remaining >= 0 AND succeeded >= 0 AND failed >= 0 AND cancelled >= 0 AND expired >= 0),
  CONSTRAINT batches_categories CHECK (no_faces + all_masked + none_masked + some_masked = succeeded)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE batches;
