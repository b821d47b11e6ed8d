package jobstore

import (
	"context"
	"fmt"
	"time"
)

// Retirement is an instance on its way out of the fleet.
type Retirement struct {
	Instance string
	Epoch    uint64 // of the lease under which it was decided
	Final    bool   // it is not recalled, and not kept stopped
	AskedBy  string // a person; empty: the policy
	Reason   string
	BegunAt  time.Time
}

const retirementReason = 512 // characters

// BeginRetirement writes it down, before anything is done to the instance. Of one that
// is retiring already it only makes Final true.
func (s *Store) BeginRetirement(ctx context.Context, r Retirement) error {
	_, err := s.exec(ctx, `
		INSERT INTO retirements (instance_id, epoch, final, asked_by, reason, begun_at) VALUES (?, ?, ?, ?, LEFT(?, ?), ?)
		ON DUPLICATE KEY UPDATE final = final OR VALUES(final)`,
		r.Instance, r.Epoch, r.Final, r.AskedBy, r.Reason, retirementReason, r.BegunAt)
	if err != nil {
		return fmt.Errorf("retiring instance %s: %w", r.Instance, err)
	}
	return nil
}

// EndRetirement forgets it: the instance is gone, or was recalled.
func (s *Store) EndRetirement(ctx context.Context, instance string) error {
	if _, err := s.exec(ctx, `DELETE FROM retirements WHERE instance_id = ?`, instance); err != nil {
		return fmt.Errorf("ending the retirement of %s: %w", instance, err)
	}
	return nil
}

// RecallRetirement forgets it unless it is final, and says whether it did.
func (s *Store) RecallRetirement(ctx context.Context, instance string) (bool, error) {
	found, err := s.exec(ctx, `DELETE FROM retirements WHERE instance_id = ? AND NOT final`, instance)
	if err != nil {
		return false, fmt.Errorf("recalling %s: %w", instance, err)
	}
	return found == 1, nil
}

// ListRetirements gives the oldest first.
func (s *Store) ListRetirements(ctx context.Context) ([]Retirement, error) {
	rows, err := s.db.QueryContext(ctx, `
		SELECT instance_id, epoch, final, asked_by, reason, begun_at FROM retirements ORDER BY begun_at, instance_id`)
	all, err := collect(rows, err, func(from row) (r Retirement, err error) {
		err = from.Scan(&r.Instance, &r.Epoch, &r.Final, &r.AskedBy, &r.Reason, &r.BegunAt)
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("listing retirements: %w", err)
	}
	return all, nil
}
