-- +goose NO TRANSACTION

-- +goose Up
CREATE TABLE faces (
  photo_id   BINARY(16)  NOT NULL,
  face_index INT         NOT NULL,
  label      VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  confidence DOUBLE      NOT NULL,
  x_min      INT         NOT NULL,
  y_min      INT         NOT NULL,
  x_max      INT         NOT NULL,
  y_max      INT         NOT NULL,
  PRIMARY KEY (photo_id, face_index),
  CONSTRAINT faces_of_photo FOREIGN KEY (photo_id) REFERENCES photos (id) ON DELETE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci;

-- +goose Down
DROP TABLE faces;
