package jobstore

import (
	"context"
	"database/sql"
	"strings"

	"maskfleet/pkg/job"
)

func insertFaces(ctx context.Context, tx *sql.Tx, id job.ID, faces []job.Face) error {
	if len(faces) == 0 {
		return nil
	}
	var args []any
	for i, f := range faces {
		args = append(args, id[:], i, f.Label, f.Confidence, f.Box.XMin, f.Box.YMin, f.Box.XMax, f.Box.YMax)
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO faces (photo_id, face_index, label, confidence, x_min, y_min, x_max, y_max)
		VALUES `+list(`(?, ?, ?, ?, ?, ?, ?, ?)`, len(faces)), args...)
	return err
}

// addFaces reads the faces of those photos that have a result.
func (s *Store) addFaces(ctx context.Context, photos []job.Photo) error {
	results := map[job.ID]*job.Result{}
	var ids []any
	for _, p := range photos {
		if p.Result != nil {
			results[p.ID] = p.Result
			ids = append(ids, p.ID[:])
		}
	}
	if len(ids) == 0 {
		return nil
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT photo_id, label, confidence, x_min, y_min, x_max, y_max FROM faces
		WHERE photo_id IN (`+list(`?`, len(ids))+`) ORDER BY photo_id, face_index`, ids...)
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var id job.ID
		var f job.Face
		err := from.Scan(&id, &f.Label, &f.Confidence, &f.Box.XMin, &f.Box.YMin, &f.Box.XMax, &f.Box.YMax)
		if err == nil {
			results[id].Faces = append(results[id].Faces, f)
		}
		return struct{}{}, err
	})
	return err
}

// list repeats an item of a statement, with commas between.
func list(item string, times int) string {
	return strings.TrimSuffix(strings.Repeat(item+`, `, times), `, `)
}
