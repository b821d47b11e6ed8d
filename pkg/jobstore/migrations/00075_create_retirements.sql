-- +goose NO TRANSACTION

-- Instances on their way out of the fleet: written before they are drained, so that
-- the next leader goes on where the last one stopped, or recalls them.

-- +goose Up
CREATE TABLE retirements (
  instance_id VARCHAR(32)     CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  epoch       BIGINT UNSIGNED NOT NULL COMMENT 'revision of the lease under which it was decided',
  final       BOOLEAN         NOT NULL COMMENT 'it is not recalled, and not kept stopped',
  asked_by    VARCHAR(255)    NOT NULL COMMENT 'a person; empty: the policy',
  reason      VARCHAR(512)    NOT NULL,
  begun_at    DATETIME(6)     NOT NULL,

  PRIMARY KEY (instance_id)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE retirements;
