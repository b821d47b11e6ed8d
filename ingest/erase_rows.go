package ingest

import (
	"bytes"
	"context"
	"maps"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// rowWalk looks for rows of a day whose objects are not there. Objects and rows both
// come in the order of the photos' ids, so that it holds a page of each and no more. A
// photo that finished while the objects were listed is looked at again.
type rowWalk struct {
	eraser   *eraser
	day      string
	from, to time.Time
	after    job.ID          // the last row that was read
	rows     []jobstore.Kept // read, and not looked at
	there    map[string]bool // objects of photos that were not looked at
	missing  int
}

func (e *eraser) walkRows(day string) (*rowWalk, error) {
	from, err := time.Parse(time.DateOnly, day)
	// An id is made a moment before or after its row's time: the day is the row's.
	const slack = time.Hour
	return &rowWalk{
		eraser: e, day: day, from: from.Add(-slack), to: from.Add(24*time.Hour + slack), there: map[string]bool{},
	}, err
}

// see takes the next objects, and looks at the rows before the last of their photos,
// more of whose objects may be on the next page.
func (w *rowWalk) see(ctx context.Context, page []imagestore.Object) error {
	var last job.ID
	for _, o := range page {
		if id, ours := imagestore.PhotoOf(o.Key); ours {
			w.there[o.Key], last = true, id
		}
	}
	if last == (job.ID{}) {
		return nil
	}
	if err := w.upTo(ctx, last); err != nil {
		return err
	}
	maps.DeleteFunc(w.there, func(key string, _ bool) bool {
		id, _ := imagestore.PhotoOf(key)
		return id != last
	})
	return nil
}

// lastID is behind every photo.
func lastID() job.ID { return job.ID(bytes.Repeat([]byte{0xff}, len(job.ID{}))) }

// upTo looks at the rows before end that it has not looked at.
func (w *rowWalk) upTo(ctx context.Context, end job.ID) error {
	for {
		if len(w.rows) == 0 {
			var err error
			if w.rows, err = w.eraser.store.ListKept(ctx, w.from, w.to, w.after, erasedAtATime); err != nil || len(w.rows) == 0 {
				return err
			}
			w.after = w.rows[len(w.rows)-1].ID
			w.eraser.mine(ctx)
		}
		row := w.rows[0]
		if bytes.Compare(row.ID[:], end[:]) >= 0 {
			return nil
		}
		w.rows = w.rows[1:]
		if row.Deleted || !row.State.Terminal() || row.CreatedAt.UTC().Format(time.DateOnly) != w.day {
			continue
		}
		n, err := w.eraser.missed(ctx, row, w.there)
		if err != nil {
			return err
		}
		w.missing += n
	}
}
