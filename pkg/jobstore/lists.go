package jobstore

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// ListCounts says how long the four lists are, and all of an owner's photos together
// with those that have no category yet or never get one.
type ListCounts struct {
	All int
	Of  map[job.Category]int
}

// CountLists counts what a filter finds in each list; its own category, place and
// limit do not count.
func (s *Store) CountLists(ctx context.Context, f Filter) (ListCounts, error) {
	f.Category, f.Before = "", job.ID{}
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT COALESCE(category, ''), COUNT(*) FROM photos`+where+` GROUP BY category`, args...)
	counts := ListCounts{Of: map[job.Category]int{}}
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var c job.Category
		var n int
		err := from.Scan(&c, &n)
		counts.All += n
		if c != "" {
			counts.Of[c] = n
		}
		return struct{}{}, err
	})
	if err != nil {
		return ListCounts{}, fmt.Errorf("counting photos of %s: %w", f.OwnerID, err)
	}
	return counts, nil
}

// Neighbours gives the photos before and after one in the list of a filter; the zero
// id at its ends.
func (s *Store) Neighbours(ctx context.Context, f Filter, id job.ID) (newer, older job.ID, err error) {
	f.Before = job.ID{}
	where, args := f.where()
	for _, side := range []struct {
		to    *job.ID
		query string
	}{
		{&newer, `SELECT id FROM photos` + where + ` AND id > ? ORDER BY id LIMIT 1`},
		{&older, `SELECT id FROM photos` + where + ` AND id < ? ORDER BY id DESC LIMIT 1`},
	} {
		err := s.db.QueryRowContext(ctx, side.query, append(args[:len(args):len(args)], id[:])...).Scan(side.to)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return job.ID{}, job.ID{}, fmt.Errorf("finding the neighbours of photo %s: %w", id, classify(err))
		}
	}
	return newer, older, nil
}

// ListIDs gives the ids of what a filter finds, the newest first.
func (s *Store) ListIDs(ctx context.Context, f Filter) ([]job.ID, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM photos`+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("listing photos of %s: %w", f.OwnerID, err)
	}
	return ids, nil
}

// OwnIDs gives those of the ids whose photos are the owner's and not being deleted.
func (s *Store) OwnIDs(ctx context.Context, ownerID uuid.UUID, ids []job.ID) ([]job.ID, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, `
		SELECT id FROM photos WHERE owner_id = ? AND deleted_at IS NULL AND id IN (`+list(`?`, len(ids))+`)`,
		append([]any{ownerID[:]}, idArgs(ids)...)...)
	own, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("finding photos of %s: %w", ownerID, err)
	}
	return own, nil
}

func scanID(from row) (id job.ID, err error) {
	err = from.Scan(&id)
	return id, err
}

func idArgs(ids []job.ID) []any {
	args := make([]any, len(ids))
	for i := range ids {
		args[i] = ids[i][:]
	}
	return args
}
