-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE webhooks (
  id              BINARY(16)    NOT NULL,
  owner_id        BINARY(16)    NOT NULL,
  url             VARCHAR(2048) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  name            VARCHAR(100)  NOT NULL,
  events          JSON          NOT NULL,
  unmasked_above  INT           NOT NULL COMMENT 'rule of alert.unmasked',
  secret          VARCHAR(100)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'signing needs it in full',
  previous_secret VARCHAR(100)  CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  previous_until  DATETIME(6)   NULL COMMENT 'until when the previous secret signs too',
  disabled_at     DATETIME(6)   NULL,
  disabled_why    VARCHAR(16)   CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT '',
  created_at      DATETIME(6)   NOT NULL,
  PRIMARY KEY (id),
  KEY webhooks_of_owner (owner_id, id),
  CONSTRAINT webhooks_of_user FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE webhooks;
