package jobstore

import (
	"context"
	"iter"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// ItemFilter picks the items of one batch; its other zero fields do not restrict.
type ItemFilter struct {
	BatchID  uuid.UUID // required
	State    job.State
	Category job.Category
	After    int // the line of the last item of the page before this one
	Limit    int // required, at least 1
}

// Items gives a batch's photos in the order of their lines, with results and faces.
func (s *Store) Items(ctx context.Context, f ItemFilter) ([]job.Photo, error) {
	where, args := ` WHERE batch_id = ? AND batch_line > ? AND deleted_at IS NULL`, []any{f.BatchID[:], f.After}
	if f.State != "" {
		where, args = where+` AND state = ?`, append(args, f.State)
	}
	if f.Category != "" {
		where, args = where+` AND category = ?`, append(args, f.Category)
	}
	return s.items(ctx, f.BatchID, where, append(args, f.Limit))
}

// resultsAtOnce is how many items a stream of results holds in memory.
const resultsAtOnce = 500

// Results gives the items of a batch that have ended, whatever their end, in the
// order of their lines and a few at a time: a stream of 50,000 takes no more memory
// than one of 500. The last pair holds the error if one ended the stream early.
func (s *Store) Results(ctx context.Context, batch uuid.UUID) iter.Seq2[job.Photo, error] {
	return func(yield func(job.Photo, error) bool) {
		for last := 0; ; {
			page, err := s.items(ctx, batch, `
				WHERE batch_id = ? AND batch_line > ? AND deleted_at IS NULL
					AND state IN ('succeeded', 'failed', 'cancelled', 'expired')`, []any{batch[:], last, resultsAtOnce})
			if err != nil {
				yield(job.Photo{}, err)
				return
			}
			for _, p := range page {
				if !yield(p, nil) {
					return
				}
				last = p.BatchLine
			}
			if len(page) < resultsAtOnce {
				return
			}
		}
	}
}

func (s *Store) items(ctx context.Context, batch uuid.UUID, where string, args []any) ([]job.Photo, error) {
	rows, err := s.db.QueryContext(ctx, selectPhotos+where+` ORDER BY batch_line LIMIT ?`, args...)
	photos, err := collect(rows, err, func(from row) (job.Photo, error) {
		p, err := scanPhoto(from)
		return p.Photo, err
	})
	if err == nil {
		err = s.addFaces(ctx, photos)
	}
	if err != nil {
		return nil, batchError("listing items of", batch, err)
	}
	return photos, nil
}
