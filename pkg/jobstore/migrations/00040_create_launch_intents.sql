-- +goose NO TRANSACTION

-- Written before instances are asked for: whoever finds a row open asks for the same
-- again, by the same client token, and gets the same instances.

-- +goose Up
CREATE TABLE launch_intents (
  id            BINARY(16)      NOT NULL,
  epoch         BIGINT UNSIGNED NOT NULL COMMENT 'revision of the lease under which it was decided',
  decision      INT             NOT NULL COMMENT 'its number within its process',
  attempt       INT             NOT NULL COMMENT 'of the decision, each at one type and zone',
  instance_type VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  zone          VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  wanted        INT             NOT NULL COMMENT 'at most so many; EC2 may give fewer',
  client_token  VARCHAR(64)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  request       MEDIUMTEXT      CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL COMMENT 'all that is asked of EC2, as JSON',
  created_at    DATETIME(6)     NOT NULL,

  state         VARCHAR(16)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'open, launched, failed, settled',
  instances     JSON            NULL COMMENT 'ids, once they are known',
  reason        VARCHAR(512)    NOT NULL DEFAULT '' COMMENT 'why there are none',
  answered_at   DATETIME(6)     NULL COMMENT 'when it left the state open',
  settled_at    DATETIME(6)     NULL,

  PRIMARY KEY (id),
  UNIQUE KEY launch_intents_once (epoch, decision, attempt),
  UNIQUE KEY launch_intents_by_token (client_token),
  KEY launch_intents_by_state (state, created_at),
  KEY launch_intents_by_time (created_at),
  CONSTRAINT launch_intents_open CHECK ((state = 'open') = (answered_at IS NULL)),
  CONSTRAINT launch_intents_instances CHECK ((state IN ('launched', 'settled')) = (instances IS NOT NULL))
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE launch_intents;
