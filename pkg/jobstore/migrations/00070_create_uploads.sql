-- +goose NO TRANSACTION

-- Links for uploads that are open: neither used, by a photo that names them, nor
-- expired. An account may have so many.

-- +goose Up
CREATE TABLE uploads (
  id         BINARY(16)  NOT NULL,
  owner_id   BINARY(16)  NOT NULL,
  expires_at DATETIME(6) NOT NULL COMMENT 'when nothing can be put there any more',

  PRIMARY KEY (id),
  KEY uploads_of_owner (owner_id, expires_at),
  KEY uploads_expired (expires_at),
  CONSTRAINT uploads_owner FOREIGN KEY (owner_id) REFERENCES users (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE uploads;
