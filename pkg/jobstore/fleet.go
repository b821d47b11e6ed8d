package jobstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
)

// This file is for operators, who see every owner's photos. Nothing that answers a
// photo's owner may use it: see Filter.

// Search picks photos of all owners; its zero fields do not restrict.
type Search struct {
	IDs      []job.ID
	OwnerID  uuid.UUID
	BatchID  uuid.UUID
	State    job.State
	Lane     job.Lane
	Category job.Category
	Code     job.Code  // of the failure
	Model    job.Model // an empty version is any
	From, To time.Time // made at or after, and before, to the millisecond
	Dead     bool      // failed, and not put aside
	Before   job.ID    // the last photo of the page before this one
	Limit    int       // required, at least 1
}

// SearchPhotos gives what the search finds, the newest first, with results and faces.
func (s *Store) SearchPhotos(ctx context.Context, f Search) ([]job.Photo, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, selectPhotos+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit)...)
	found, err := collect(rows, err, scanPhoto)
	photos := make([]job.Photo, len(found))
	for i, p := range found {
		photos[i] = p.Photo
	}
	if err == nil {
		err = s.addFaces(ctx, photos)
	}
	if err != nil {
		return nil, fmt.Errorf("searching photos: %w", err)
	}
	return photos, nil
}

// SearchIDs gives the ids of what the search finds, the oldest first.
func (s *Store) SearchIDs(ctx context.Context, f Search) ([]job.ID, error) {
	where, args := f.where()
	rows, err := s.db.QueryContext(ctx, `SELECT id FROM photos`+where+` ORDER BY id LIMIT ?`, append(args, f.Limit)...)
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

func (f Search) where() (string, []any) {
	conditions, args := []string{`deleted_at IS NULL`}, []any{}
	and := func(wanted bool, condition string, values ...any) {
		if wanted {
			conditions = append(conditions, condition)
			args = append(args, values...)
		}
	}
	and(len(f.IDs) > 0, `id IN (`+list(`?`, len(f.IDs))+`)`, idArgs(f.IDs)...)
	and(f.OwnerID != uuid.UUID{}, `owner_id = ?`, f.OwnerID[:])
	and(f.BatchID != uuid.UUID{}, `batch_id = ?`, f.BatchID[:])
	and(f.State != "", `state = ?`, f.State)
	and(f.Lane != "", `lane = ?`, f.Lane)
	and(f.Category != "", `category = ?`, f.Category)
	and(f.Code != "", `failure_code = ?`, f.Code)
	and(f.Model.Name != "", `model_name = ?`, f.Model.Name)
	and(f.Model.Version != "", `model_version = ?`, f.Model.Version)
	and(!f.From.IsZero(), `id >= ?`, firstID(f.From)) // ids begin with the time of their making
	and(!f.To.IsZero(), `id < ?`, firstID(f.To))
	and(f.Dead, `state = 'failed' AND discarded_at IS NULL`)
	and(f.Before != job.ID{}, `id < ?`, f.Before[:])
	return ` WHERE ` + strings.Join(conditions, ` AND `), args
}

// DeadGroup is how many photos failed in the same way and were not put aside.
type DeadGroup struct {
	Reason         job.Code
	Model          job.Model // that the worker ran; empty if none said so
	Photos         int
	Oldest, Newest time.Time // of their ends
}

// DeadGroups counts dead letters by reason and model, the largest group first. It
// reads every failed row: ask every few seconds.
func (s *Store) DeadGroups(ctx context.Context) ([]DeadGroup, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT COALESCE(failure_code, ''), model_name, model_version, COUNT(*), MIN(finished_at), MAX(finished_at)
		FROM photos WHERE state = 'failed' AND discarded_at IS NULL AND deleted_at IS NULL
		GROUP BY failure_code, model_name, model_version ORDER BY COUNT(*) DESC, failure_code`)
	groups, err := collect(rows, err, func(from row) (g DeadGroup, err error) {
		err = from.Scan(&g.Reason, &g.Model.Name, &g.Model.Version, &g.Photos, timeColumn{&g.Oldest}, timeColumn{&g.Newest})
		return g, err
	})
	if err != nil {
		return nil, fmt.Errorf("counting dead letters: %w", err)
	}
	return groups, nil
}

// Usernames gives the names of accounts by their ids.
func (s *Store) Usernames(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]string, error) {
	names := map[uuid.UUID]string{}
	if len(ids) == 0 {
		return names, nil
	}
	rows, err := s.db.QueryContext(ctx, `SELECT id, username FROM users WHERE id IN (`+list(`?`, len(ids))+`)`, idArgs(ids)...)
	_, err = collect(rows, err, func(from row) (struct{}, error) {
		var id uuid.UUID
		var name string
		err := from.Scan(&id, &name)
		names[id] = name
		return struct{}{}, err
	})
	if err != nil {
		return nil, fmt.Errorf("naming accounts: %w", err)
	}
	return names, nil
}
