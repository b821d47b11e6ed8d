package jobstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Filter picks the photos of one owner; its other zero fields do not restrict.
type Filter struct {
	OwnerID  uuid.UUID // required: the zero id owns nothing
	Category job.Category
	State    job.State
	Lane     job.Lane
	From, To time.Time // made at or after, and before, to the millisecond
	Search   string    // part of the file's name or of the link
	Newest   job.ID    // nothing accepted after this one
	Before   job.ID    // the last photo of the page before this one
	Limit    int       // required for lists, at least 1
}

// List gives an owner's photos, the newest first, with their results and faces.
func (s *Store) List(ctx context.Context, f Filter) ([]job.Photo, error) {
	where, args := f.where()
	photos, err := s.newest(ctx, "", where, args, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("listing photos of %s: %w", f.OwnerID, err)
	}
	return photos, nil
}

func (f Filter) where() (string, []any) {
	c := conditions{texts: []string{`owner_id = ?`, `deleted_at IS NULL`}, args: []any{f.OwnerID[:]}}
	c.and(f.Category != "", `category = ?`, f.Category)
	c.and(f.State != "", `state = ?`, f.State)
	c.and(f.Lane != "", `lane = ?`, f.Lane)
	c.made(f.From, f.To, f.Before)
	c.and(f.Newest != job.ID{}, `id <= ?`, f.Newest[:])
	c.and(f.Search != "", `(filename LIKE ? OR link LIKE ?)`, containing(f.Search), containing(f.Search))
	return c.where()
}

// Search picks photos of all owners; its zero fields do not restrict. It is for
// operators: nothing that answers a photo's owner may use it, see Filter.
type Search struct {
	IDs      []job.ID
	OwnerID  uuid.UUID
	BatchID  uuid.UUID
	State    job.State
	States   []job.State // any of them
	Worker   string      // that had it last
	Name     string      // part of the file's name or of the link; dear without an owner or a short time
	Lane     job.Lane
	Category job.Category
	Code     job.Code  // of the failure
	Model    job.Model // an empty version is any
	SHA256   string    // of the original's bytes, in lower-case hex
	From, To time.Time // made at or after, and before, to the millisecond
	Dead     bool      // failed, and not put aside
	Before   job.ID    // the last photo of the page before this one
	After    job.ID    // the same for lists that go from old to new
	Limit    int       // required, at least 1
}

// SearchPhotos gives what the search finds, the newest first, with results and faces.
func (s *Store) SearchPhotos(ctx context.Context, f Search) ([]job.Photo, error) {
	where, args := f.where()
	photos, err := s.newest(ctx, f.index(), where, args, f.Limit)
	if err != nil {
		return nil, fmt.Errorf("searching photos: %w", err)
	}
	return photos, nil
}

// SearchIDs gives the ids of what the search finds, the oldest first.
func (s *Store) SearchIDs(ctx context.Context, f Search) ([]job.ID, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM photos`+f.index()+where+` ORDER BY id LIMIT ?`, append(args, f.Limit)...)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("searching photos: %w", err)
	}
	return ids, nil
}

// CountSearch counts what the search finds, whatever its limit.
func (s *Store) CountSearch(ctx context.Context, f Search) (n int, err error) {
	where, args := f.where()
	if err := s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM photos`+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("counting photos: %w", classify(err))
	}
	return n, nil
}

// CountUpTo counts what the search finds, and stops at most: a page wants to know
// whether it is few or many, not whether it is a million.
func (s *Store) CountUpTo(ctx context.Context, f Search, most int) (n int, err error) {
	where, args := f.where()
	err = s.db.QueryRowContext(ctx, `SELECT COUNT(*) FROM (SELECT id FROM photos`+f.index()+where+` LIMIT ?) found`, append(args, most)...).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("counting photos: %w", classify(err))
	}
	return n, nil
}

func (f Search) where() (string, []any) {
	c := conditions{texts: []string{`deleted_at IS NULL`}}
	c.and(len(f.IDs) > 0, `id IN (`+list(`?`, len(f.IDs))+`)`, idArgs(f.IDs)...)
	c.and(f.OwnerID != uuid.UUID{}, `owner_id = ?`, f.OwnerID[:])
	c.and(f.BatchID != uuid.UUID{}, `batch_id = ?`, f.BatchID[:])
	c.and(f.State != "", `state = ?`, f.State)
	c.and(len(f.States) > 0, `state IN (`+list(`?`, len(f.States))+`)`, arguments(nil, f.States)...)
	c.and(f.Worker != "", `worker_id = ?`, f.Worker)
	c.and(f.Name != "", `(filename LIKE ? OR link LIKE ?)`, containing(f.Name), containing(f.Name))
	c.and(f.SHA256 != "", `sha256 = ?`, f.SHA256)
	c.and(f.Lane != "", `lane = ?`, f.Lane)
	c.and(f.Category != "", `category = ?`, f.Category)
	c.and(f.Code != "", `failure_code = ?`, f.Code)
	c.and(f.Model.Name != "", `model_name = ?`, f.Model.Name)
	c.and(f.Model.Version != "", `model_version = ?`, f.Model.Version)
	c.made(f.From, f.To, f.Before)
	c.and(f.Dead, `state = 'failed' AND discarded_at IS NULL`)
	c.and(f.After != job.ID{}, `id > ?`, f.After[:])
	return c.where()
}

// index leaves the optimizer the indexes in which what is sought stands in the order of
// the list. It would rather go through all photos until it has found enough, as if those
// that failed were spread evenly over them: had the last one failed long ago, that would
// be every row.
func (f Search) index() string {
	switch {
	case len(f.IDs) > 0, !f.From.IsZero(), f.After != job.ID{}: // the primary key may do
		return ""
	case f.SHA256 != "": // few rows have the same, in whatever order
		return ` USE INDEX (photos_of_content)`
	case f.BatchID != uuid.UUID{}: // has what is its own alone
		return ""
	case f.OwnerID != uuid.UUID{} && (f.Code != "" || f.Worker != ""): // are rarer than an owner
		return ` USE INDEX (photos_failed_with, photos_of_worker, photos_of_owner_by_state)`
	case f.OwnerID != uuid.UUID{}: // of whom may be most: it would rather intersect and sort them
		return ` USE INDEX (photos_of_owner, photos_of_owner_by_state, photos_of_owner_in_list)`
	case f.Code != "", f.Dead, f.State != "", len(f.States) > 0, f.Worker != "", f.Lane != "", f.Category != "":
		return ` USE INDEX (photos_failed_with, photos_of_worker, photos_in_state, photos_in_lane, photos_in_category)`
	}
	return ""
}

// newest gives whole photos, the newest first.
func (s *Store) newest(ctx context.Context, index, where string, args []any, limit int) ([]job.Photo, error) {
	rows, err := s.db.QueryContext(ctx, selectPhotos+index+where+` ORDER BY id DESC LIMIT ?`, append(args, limit)...)
	found, err := collect(rows, err, scanPhoto)
	if err != nil {
		return nil, err
	}
	photos := make([]job.Photo, len(found))
	for i, p := range found {
		photos[i] = p.Photo
	}
	return photos, s.addFaces(ctx, photos)
}

// conditions are what rows must all fulfil.
type conditions struct {
	texts []string
	args  []any
}

func (c *conditions) and(wanted bool, text string, args ...any) {
	if wanted {
		c.texts = append(c.texts, text)
		c.args = append(c.args, args...)
	}
}

// made restricts when photos were made, and to the page after one of them. Ids begin
// with the time of their making: the index by id serves times too.
func (c *conditions) made(from, to time.Time, before job.ID) {
	c.and(!from.IsZero(), `id >= ?`, firstID(from))
	c.and(!to.IsZero(), `id < ?`, firstID(to))
	c.and(before != job.ID{}, `id < ?`, before[:])
}

func (c *conditions) where() (string, []any) {
	return ` WHERE ` + strings.Join(c.texts, ` AND `), c.args
}

// firstID is the least id that can have been made at t.
func firstID(t time.Time) []byte {
	millis := max(t.UnixMilli(), 0)
	id := make([]byte, 16)
	for i := range 6 {
		id[i] = byte(millis >> (8 * (5 - i)))
	}
	return id
}
