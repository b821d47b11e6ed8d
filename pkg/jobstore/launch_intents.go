package jobstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrDeposed means that somebody with a newer epoch has acted: who decided this no
// longer leads.
var ErrDeposed = errors.New("a newer leader has acted")

// LaunchState is what is known of a launch.
type LaunchState string

// The states. An open launch must be answered, a launched one is watched; the others
// are kept to be looked up in the table.
const (
	LaunchOpen     LaunchState = "open"     // EC2 may have been asked; what came of it is unknown
	LaunchLaunched LaunchState = "launched" // EC2 gave instances, which it may not show yet
	LaunchFailed   LaunchState = "failed"   // there are no instances of it
	LaunchSettled  LaunchState = "settled"  // every instance was seen, or given up
)

// LaunchIntent is what somebody is about to ask of EC2, written down before.
type LaunchIntent struct {
	ID          uuid.UUID // UUIDv7
	Epoch       uint64    // of the lease under which it was written down
	Sequence    int       // of the decision within its process
	Attempt     int       // of the decision, each at one type and zone
	Type, Zone  string
	Wanted      int    // at most so many
	ClientToken string // at most 64 characters of ASCII
	Request     []byte // all that is asked of EC2, as JSON, so that it can be asked again

	// The rest is the store's.
	State     LaunchState
	Instances []string      // ids, with LaunchLaunched
	Age       time.Duration // since it was written down, by the database's clock
}

const (
	reasonCharacters = 512
	selectLaunches   = `
	SELECT id, epoch, decision, attempt, instance_type, zone, wanted, client_token, request,
		state, instances, TIMESTAMPDIFF(MICROSECOND, created_at, UTC_TIMESTAMP(6))
	FROM launch_intents`
)

func scanLaunch(from row) (l LaunchIntent, err error) {
	var age micros
	err = from.Scan(&l.ID, &l.Epoch, &l.Sequence, &l.Attempt, &l.Type, &l.Zone, &l.Wanted, &l.ClientToken, &l.Request,
		&l.State, listColumn{&l.Instances}, &age)
	l.Age = age.duration()
	return l, err
}

// BeginLaunch writes an intent down as open. After an error nothing may be launched
// by it; with ErrDeposed nothing was written.
func (s *Store) BeginLaunch(ctx context.Context, l LaunchIntent) error {
	rows, err := s.exec(ctx, `
		INSERT INTO launch_intents (id, epoch, decision, attempt, instance_type, zone, wanted, client_token, request, created_at, state)
		SELECT ?, ?, ?, ?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(6), 'open' FROM (SELECT 1) one
		WHERE NOT EXISTS (SELECT 1 FROM launch_intents newer WHERE newer.epoch > ?)`,
		l.ID[:], l.Epoch, l.Sequence, l.Attempt, l.Type, l.Zone, l.Wanted, l.ClientToken, string(l.Request), l.Epoch)
	if err == nil && rows == 0 {
		err = ErrDeposed
	}
	if err != nil {
		return fmt.Errorf("beginning launch %s: %w", l.ClientToken, err)
	}
	return nil
}

// RecordLaunch says which instances an open intent has led to.
func (s *Store) RecordLaunch(ctx context.Context, id uuid.UUID, instances []string) (changed bool, err error) {
	ids, err := json.Marshal(instances)
	if err != nil {
		return false, fmt.Errorf("recording launch %s: %w", id, err)
	}
	return s.answerLaunch(ctx, id, `state = 'launched', instances = ?`, string(ids))
}

// FailLaunch says that an open intent has led to no instance, and why.
func (s *Store) FailLaunch(ctx context.Context, id uuid.UUID, reason string) (changed bool, err error) {
	return s.answerLaunch(ctx, id, `state = 'failed', reason = LEFT(?, ?)`, reason, reasonCharacters)
}

func (s *Store) answerLaunch(ctx context.Context, id uuid.UUID, set string, args ...any) (bool, error) {
	rows, err := s.exec(ctx, `UPDATE launch_intents SET answered_at = UTC_TIMESTAMP(6), `+set+` WHERE id = ? AND state = 'open'`,
		append(args, id[:])...)
	if err != nil {
		return false, fmt.Errorf("answering launch %s: %w", id, err)
	}
	return rows > 0, nil
}

// SettleLaunch says that nobody needs to watch for a launch's instances any more.
func (s *Store) SettleLaunch(ctx context.Context, id uuid.UUID) (changed bool, err error) {
	rows, err := s.exec(ctx, `UPDATE launch_intents SET state = 'settled' WHERE id = ? AND state = 'launched'`, id[:])
	if err != nil {
		return false, fmt.Errorf("settling launch %s: %w", id, err)
	}
	return rows > 0, nil
}

// UnsettledLaunches gives the open and the launched intents, the oldest first.
func (s *Store) UnsettledLaunches(ctx context.Context) ([]LaunchIntent, error) {
	rows, err := s.db.QueryContext(ctx, selectLaunches+` WHERE state IN ('open', 'launched') ORDER BY created_at, id`)
	launches, err := collect(rows, err, scanLaunch)
	if err != nil {
		return nil, fmt.Errorf("looking for unsettled launches: %w", err)
	}
	return launches, nil
}

// PurgeLaunches forgets what was begun longer than age ago and needs no watching any
// more. Intents of the newest epoch stay: an older leader is measured by it.
func (s *Store) PurgeLaunches(ctx context.Context, age time.Duration) error {
	_, err := s.exec(ctx, `
		DELETE FROM launch_intents
		WHERE state IN ('failed', 'settled') AND created_at <= UTC_TIMESTAMP(6) - INTERVAL ? MICROSECOND
			AND epoch < (SELECT newest FROM (SELECT MAX(epoch) AS newest FROM launch_intents) all_of_them)`, age.Microseconds())
	if err != nil {
		return fmt.Errorf("purging launches: %w", err)
	}
	return nil
}
