package jobstore

import (
	"context"
	"fmt"
	"time"

	"maskfleet/pkg/job"
)

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
