package jobstore

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// Erasable is what must be known of a photo to remove what is kept of it.
type Erasable struct {
	ID        job.ID
	OwnerID   uuid.UUID
	Upload    uuid.UUID // from which it came by a signed link, or zero
	Lane      job.Lane
	CreatedAt time.Time
	DeletedAt time.Time // none from Kept
}

// Day is the day under which its objects lie.
func (e Erasable) Day() string { return job.Photo{CreatedAt: e.CreatedAt}.Day() }

// PhotosToErase gives photos that have their tombstone, the oldest tombstones first,
// after the given one; the zero one is before all.
func (s *Store) PhotosToErase(ctx context.Context, after Erasable, limit int) ([]Erasable, error) {
	rows, err := s.db.QueryContext(ctx, selectErasable+`
		WHERE deleted_at IS NOT NULL AND deleted_at >= ? AND (deleted_at > ? OR id > ?)
		ORDER BY deleted_at, id LIMIT ?`, after.since(), after.since(), after.ID[:], limit)
	found, err := collect(rows, err, scanErasable)
	if err != nil {
		return nil, fmt.Errorf("listing photos to erase: %w", err)
	}
	return found, nil
}

const selectErasable = `SELECT id, owner_id, source, link, lane, created_at, deleted_at FROM photos`

func scanErasable(from row) (e Erasable, err error) {
	var source job.Source
	var link string
	err = from.Scan(&e.ID, &e.OwnerID, &source, &link, &e.Lane, &e.CreatedAt, &e.DeletedAt)
	e.Upload = uploadOf(source, link)
	return e, err
}

// uploadOf is the upload that a photo's link names, or zero.
func uploadOf(source job.Source, link string) uuid.UUID {
	if source != job.SourceSigned {
		return uuid.UUID{}
	}
	id, err := uuid.Parse(link)
	if err != nil {
		return uuid.UUID{}
	}
	return id
}

// since is a time that the database can hold.
func (e Erasable) since() time.Time {
	if e.DeletedAt.IsZero() {
		return time.Unix(0, 0).UTC()
	}
	return e.DeletedAt
}

// PhotosPast gives photos of a lane that became terminal longer ago than age. Those
// of a batch are left out: they go with it.
func (s *Store) PhotosPast(ctx context.Context, lane job.Lane, age time.Duration, limit int) ([]job.ID, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT id FROM photos
		WHERE lane = ? AND finished_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND AND deleted_at IS NULL
			AND batch_id IS NULL
		ORDER BY finished_at LIMIT ?`, lane, age.Microseconds(), limit)
	ids, err := collect(rows, err, scanID)
	if err != nil {
		return nil, fmt.Errorf("listing photos past their time: %w", err)
	}
	return ids, nil
}

// Kept is what a row says of its objects.
type Kept struct {
	ID                  job.ID
	OwnerID             uuid.UUID
	Upload              uuid.UUID // as of Erasable
	Lane                job.Lane
	State               job.State
	Original, Annotated string // keys; empty for none
	Thumbnail           string
	Deleted             bool // its objects are being removed
	CreatedAt           time.Time
}

// Erasable is the photo, for its removal.
func (k Kept) Erasable() Erasable {
	return Erasable{ID: k.ID, OwnerID: k.OwnerID, Upload: k.Upload, Lane: k.Lane, CreatedAt: k.CreatedAt}
}

// Keys lists the objects that must exist.
func (k Kept) Keys() []string {
	var keys []string
	for _, key := range []string{k.Original, k.Annotated, k.Thumbnail} {
		if key != "" {
			keys = append(keys, key)
		}
	}
	return keys
}

const selectKept = `SELECT id, owner_id, source, link, lane, state, original_key, annotated_key, thumbnail_key, deleted_at IS NOT NULL, created_at FROM photos`

func scanKept(from row) (k Kept, err error) {
	var source job.Source
	var link string
	err = from.Scan(&k.ID, &k.OwnerID, &source, &link, &k.Lane, &k.State, &k.Original, &k.Annotated, &k.Thumbnail, &k.Deleted, &k.CreatedAt)
	k.Upload = uploadOf(source, link)
	return k, err
}

// FindKept gives what the rows of the ids say, those with a tombstone too; an id
// without a row is left out.
func (s *Store) FindKept(ctx context.Context, ids []job.ID) ([]Kept, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.db.QueryContext(ctx, selectKept+` WHERE id IN (`+list(`?`, len(ids))+`)`, idArgs(ids)...)
	kept, err := collect(rows, err, scanKept)
	if err != nil {
		return nil, fmt.Errorf("finding what rows keep: %w", err)
	}
	return kept, nil
}

// ListKept gives what the rows of photos say that were accepted from one time to
// another, by id, after the given one.
func (s *Store) ListKept(ctx context.Context, from, to time.Time, after job.ID, limit int) ([]Kept, error) {
	rows, err := s.db.QueryContext(ctx, selectKept+`
		WHERE id >= ? AND id < ? AND id > ? ORDER BY id LIMIT ?`, firstID(from), firstID(to), after[:], limit)
	kept, err := collect(rows, err, scanKept)
	if err != nil {
		return nil, fmt.Errorf("listing what rows keep: %w", err)
	}
	return kept, nil
}
