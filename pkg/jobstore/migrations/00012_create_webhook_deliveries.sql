-- +goose NO TRANSACTION

-- Facts of the event are kept, not the photo's: by the time of the delivery the photo
-- may be queued again, or gone.

-- +goose Up
CREATE TABLE webhook_deliveries (
  webhook_id   BINARY(16)    NOT NULL,
  id           BINARY(16)    NOT NULL COMMENT 'webhook-id; one event has the same at every endpoint',
  event        VARCHAR(32)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  subject_id   BINARY(16)    NOT NULL COMMENT 'batch or photo',
  run          INT           NOT NULL COMMENT 'of a batch; of a photo its publication',
  status       VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'of the subject',
  batch_id     BINARY(16)    NULL,
  custom_id    VARCHAR(1024) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  num_faces    INT           NOT NULL,
  num_unmasked INT           NOT NULL,
  created_at   DATETIME(6)   NOT NULL,

  state        VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  fence        INT           NOT NULL DEFAULT 0 COMMENT 'raised by every claim',
  tries        INT           NOT NULL DEFAULT 0 COMMENT 'since it was asked for last: the place in the schedule',
  attempts     INT           NOT NULL DEFAULT 0 COMMENT 'in all',
  due_at       DATETIME(6)   NULL COMMENT 'when it is to be tried; while it is being sent: when it counts as lost; NULL at an end',
  ended_at     DATETIME(6)   NULL,

  PRIMARY KEY (webhook_id, id),
  UNIQUE KEY webhook_deliveries_once (webhook_id, subject_id, event, run),
  KEY webhook_deliveries_due (webhook_id, due_at),
  KEY webhook_deliveries_by_state (webhook_id, state, id),
  KEY webhook_deliveries_to_forget (created_at),
  CONSTRAINT webhook_deliveries_of_webhook FOREIGN KEY (webhook_id) REFERENCES webhooks (id) ON DELETE CASCADE,
  CONSTRAINT webhook_deliveries_open CHECK ((state IN ('waiting', 'sending')) = (due_at IS NOT NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

CREATE TABLE webhook_attempts (
  webhook_id  BINARY(16)   NOT NULL,
  delivery_id BINARY(16)   NOT NULL,
  number      INT          NOT NULL,
  at          DATETIME(6)  NOT NULL,
  took_us     BIGINT       NOT NULL,
  status      INT          NOT NULL COMMENT 'of the answer; 0 without one',
  answer      VARCHAR(512) NOT NULL COMMENT 'its first bytes',
  fault       VARCHAR(32)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  PRIMARY KEY (webhook_id, delivery_id, number),
  CONSTRAINT webhook_attempts_of_delivery FOREIGN KEY (webhook_id, delivery_id)
    REFERENCES webhook_deliveries (webhook_id, id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE webhook_attempts;
DROP TABLE webhook_deliveries;
