package ingest

import (
	"context"
	"errors"
	"time"

	"maskfleet/pkg/imagestore"
	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// swept is what a sweep of one day found.
type swept struct {
	Objects int // of photos
	Orphans int // named by no row, and old enough to be removed
	Missing int // named by a row, and not there
}

// sweepWhenDue sweeps the days whose turn it is. Which they are follows from the clock,
// so that each comes once in sweepTurns whichever door does it, and a restart begins
// nothing anew.
func (e *eraser) sweepWhenDue(ctx context.Context) error {
	turn := time.Now().Truncate(e.cfg.SweepInterval)
	if !turn.After(e.swept) {
		return nil
	}
	days, err := e.images.Days(ctx)
	if err != nil {
		return err
	}
	var all jobstore.Sweep
	for _, day := range daysOfTurn(days, turn.UnixNano()/int64(e.cfg.SweepInterval)) {
		found, err := e.sweep(ctx, day)
		if err != nil {
			return err
		}
		all.Days++
		all.Objects += found.Objects
		all.Orphans += found.Orphans
		all.Missing += found.Missing
	}
	e.swept = turn
	return e.store.WriteSweep(ctx, all)
}

// sweepTurns is after how many turns every day was swept.
const sweepTurns = 24

// daysOfTurn picks by the number of the day, which does not change when days come and
// go, as a place in the list would.
func daysOfTurn(days []string, turn int64) (due []string) {
	for _, day := range days {
		at, err := time.Parse(time.DateOnly, day)
		if err == nil && (at.Unix()/86400)%sweepTurns == turn%sweepTurns {
			due = append(due, day)
		}
	}
	return due
}

// sweep holds the objects of one day against the rows. It removes objects that no row
// names once they are OrphanAge old, and tells of rows whose objects are not there.
func (e *eraser) sweep(ctx context.Context, day string) (swept, error) {
	var all swept
	rows, err := e.walkRows(day)
	if err != nil {
		return all, err
	}
	err = e.images.List(ctx, day+"/", func(page []imagestore.Object) error {
		found, err := e.sweepObjects(ctx, page)
		all.Objects += found.Objects
		all.Orphans += found.Orphans
		e.mine(ctx)
		if err != nil {
			return err
		}
		return errors.Join(rows.see(ctx, page), e.sweepStray(ctx, page))
	})
	if err == nil {
		err = rows.upTo(ctx, lastID())
	}
	if all.Missing = rows.missing; err != nil {
		return all, err
	}
	e.log.InfoContext(ctx, "objects held against rows", "day", day,
		"objects", all.Objects, "orphans", all.Orphans, "missing", all.Missing)
	return all, nil
}

func (e *eraser) sweepObjects(ctx context.Context, page []imagestore.Object) (found swept, err error) {
	of := map[job.ID][]imagestore.Object{}
	var ids []job.ID
	for _, o := range page {
		id, ours := imagestore.PhotoOf(o.Key)
		if !ours {
			continue // a batch's, or an upload's: not for this sweep
		}
		if of[id] == nil {
			ids = append(ids, id)
		}
		of[id] = append(of[id], o)
		found.Objects++
	}
	rows, err := e.store.FindKept(ctx, ids)
	if err != nil {
		return found, err
	}
	named := map[string]bool{}
	for _, row := range rows {
		if row.Deleted || !row.State.Terminal() { // being erased, or still being worked on
			delete(of, row.ID)
			continue
		}
		for _, key := range row.Keys() {
			named[key] = true
		}
	}
	var orphans []string
	for _, objects := range of {
		for _, o := range objects {
			switch {
			case named[o.Key]:
			case time.Since(o.ModifiedAt) < e.cfg.OrphanAge:
				e.orphans.WithLabelValues("left").Inc()
			default:
				orphans = append(orphans, o.Key)
			}
		}
	}
	if err := e.images.Delete(ctx, orphans...); err != nil {
		return found, err
	}
	for _, key := range orphans {
		e.log.WarnContext(ctx, "orphan removed", "key", key)
	}
	e.orphans.WithLabelValues("removed").Add(float64(len(orphans)))
	found.Orphans = len(orphans)
	return found, nil
}

func (e *eraser) missed(ctx context.Context, row jobstore.Kept, there map[string]bool) (missing int, err error) {
	var gone []string
	for _, key := range row.Keys() {
		if of, _ := imagestore.PhotoOf(key); of == row.ID && !there[key] {
			gone = append(gone, key)
		}
	}
	if len(gone) == 0 {
		return 0, nil
	}
	exists := map[string]bool{}
	err = e.images.List(ctx, imagestore.PhotoPrefix(row.CreatedAt.UTC().Format(time.DateOnly), row.ID), func(page []imagestore.Object) error {
		for _, o := range page {
			exists[o.Key] = true
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	still, err := e.store.FindKept(ctx, []job.ID{row.ID})
	if err != nil || len(still) == 0 || still[0].Deleted {
		return 0, err
	}
	for _, key := range gone {
		if !exists[key] {
			missing++
			e.missing.Inc()
			e.log.ErrorContext(ctx, "object missing", "photo_id", row.ID, "key", key)
		}
	}
	return missing, nil
}
