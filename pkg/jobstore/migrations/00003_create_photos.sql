-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE photos (
  id               BINARY(16)    NOT NULL,
  owner_id         BINARY(16)    NOT NULL,
  lane             VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,

  source           VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  link             VARCHAR(2048) NOT NULL,
  filename         VARCHAR(255)  NOT NULL,
  content_type     VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  bytes            BIGINT        NOT NULL,
  width            INT           NOT NULL,
  height           INT           NOT NULL,
  sha256           VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  metadata         JSON          NULL,
  trace_parent     VARCHAR(64)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  created_at       DATETIME(6)   NOT NULL,

  state            VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  publication      INT           NOT NULL,
  fence            INT           NOT NULL,
  attempts         INT           NOT NULL,
  slot_deaths      INT           NOT NULL,
  worker_id        VARCHAR(100)  NOT NULL,
  run_at           DATETIME(6)   NOT NULL,
  touched_at       DATETIME(6)   NOT NULL COMMENT 'last transition',
  confirmed_at     DATETIME(6)   NULL COMMENT 'last time the broker was known to hold the present publication',
  claimed_at       DATETIME(6)   NULL,
  lease_until      DATETIME(6)   NULL,
  finished_at      DATETIME(6)   NULL COMMENT 'when it became terminal',
  dead_lettered_at DATETIME(6)   NULL,
  deleted_at       DATETIME(6)   NULL COMMENT 'tombstone: objects, then the row, are being removed',

  failure_code     VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NULL,
  failure_cause    TEXT          NULL COMMENT 'for operators only',

  original_key     VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  annotated_key    VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  thumbnail_key    VARCHAR(255)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  category         VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NULL,
  num_faces        INT           NOT NULL DEFAULT 0,
  num_masked       INT           NOT NULL DEFAULT 0,
  num_unmasked     INT           NOT NULL DEFAULT 0,
  model_name       VARCHAR(64)   NOT NULL DEFAULT '',
  model_version    VARCHAR(64)   NOT NULL DEFAULT '',
  queued_us        BIGINT        NOT NULL DEFAULT 0,
  fetch_us         BIGINT        NOT NULL DEFAULT 0,
  inference_us     BIGINT        NOT NULL DEFAULT 0,
  total_us         BIGINT        NOT NULL DEFAULT 0,

  PRIMARY KEY (id),
  KEY photos_to_publish (state, confirmed_at, run_at, deleted_at),
  KEY photos_lease_over (lease_until),
  KEY photos_to_dead_letter (state, dead_lettered_at, finished_at),
  KEY photos_to_remove (deleted_at),
  KEY photos_of_owner (owner_id, id),
  KEY photos_of_owner_by_category (owner_id, category, id),
  KEY photos_of_owner_by_state (owner_id, state, id),
  CONSTRAINT photos_owner FOREIGN KEY (owner_id) REFERENCES users (id),
  CONSTRAINT photos_lease CHECK ((state = 'processing') = (lease_until IS NOT NULL)),
  CONSTRAINT photos_counts CHECK (num_masked + num_unmasked = num_faces)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE photos;
