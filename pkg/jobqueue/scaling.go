package jobqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// Where the scaler's policy stands in CONFIG.
const (
	keyPolicy        = "scaling.policy"         // what somebody wants; anybody with the right may put it
	keyPolicyApplied = "scaling.policy.applied" // what is in force; the scaler's own
	keyPolicyStatus  = "scaling.policy.status"  // what the scaler says of what somebody wants
)

// ErrChanged means that somebody else changed the value meanwhile.
var ErrChanged = errors.New("the value was changed meanwhile")

// PolicyText is a policy document as it was put.
type PolicyText struct {
	Text     []byte
	Revision uint64 // of the bucket; 0: nobody ever put one
	At       time.Time
}

// ScalingPolicy gives the document that somebody put last.
func (q *Queue) ScalingPolicy(ctx context.Context) (PolicyText, error) {
	return q.policyText(ctx, keyPolicy)
}

// AppliedPolicy gives the document that the scaler follows, or followed last.
func (q *Queue) AppliedPolicy(ctx context.Context) (PolicyText, error) {
	return q.policyText(ctx, keyPolicyApplied)
}

// PolicyVersions gives the documents that were put, the newest last, as far back as
// the bucket remembers, and before them what was in force when nobody had put one. The
// bucket remembers what could not be followed, too.
func (q *Queue) PolicyVersions(ctx context.Context) (all []PolicyText, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		put, err := policyHistory(ctx, kv, keyPolicy)
		if err != nil {
			return err
		}
		applied, err := policyHistory(ctx, kv, keyPolicyApplied)
		if err != nil {
			return err
		}
		for _, p := range applied { // revisions count what is put to any key
			if len(put) == 0 || p.Revision < put[0].Revision {
				all = append(all, p)
			}
		}
		all = append(all, put...)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading the versions of the scaling policy: %w", err)
	}
	return all, nil
}

// policyHistory gives what was put to the key, the newest last.
func policyHistory(ctx context.Context, kv jetstream.KeyValue, key string) (all []PolicyText, err error) {
	entries, err := kv.History(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return nil, nil
	}
	for _, entry := range entries {
		if entry.Operation() == jetstream.KeyValuePut {
			all = append(all, PolicyText{entry.Value(), entry.Revision(), entry.Created().UTC()})
		}
	}
	return all, err
}

func (q *Queue) policyText(ctx context.Context, key string) (p PolicyText, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		entry, err := entryOf(ctx, kv, key)
		if entry == nil {
			return err
		}
		p = PolicyText{entry.Value(), entry.Revision(), entry.Created().UTC()}
		return nil
	})
	if err != nil {
		return PolicyText{}, fmt.Errorf("reading %s: %w", key, err)
	}
	return p, nil
}

// PutScalingPolicy puts a document in the place of the one with the revision, 0 for
// none; ErrChanged if another stands there by now.
func (q *Queue) PutScalingPolicy(ctx context.Context, text []byte, instead uint64) (revision uint64, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		if instead == 0 {
			revision, err = kv.Create(ctx, keyPolicy, text)
		} else {
			revision, err = kv.Update(ctx, keyPolicy, text, instead)
		}
		return err
	})
	if isWrongSequence(err) || errors.Is(err, jetstream.ErrKeyExists) {
		return 0, fmt.Errorf("putting the scaling policy: %w", ErrChanged)
	}
	if err != nil {
		return 0, fmt.Errorf("putting the scaling policy: %w", err)
	}
	return revision, nil
}

// PutAppliedPolicy says which document is in force.
func (q *Queue) PutAppliedPolicy(ctx context.Context, text []byte) error {
	return q.putConfig(ctx, keyPolicyApplied, text)
}

// PolicyStatus is what the scaler says of the document that was put last.
type PolicyStatus struct {
	Revision uint64    `json:"revision"` // of the document
	Followed bool      `json:"followed"`
	Error    string    `json:"error,omitempty"` // why it is not
	At       time.Time `json:"at"`
}

// PutPolicyStatus tells it to everybody.
func (q *Queue) PutPolicyStatus(ctx context.Context, status PolicyStatus) error {
	text, err := json.Marshal(status)
	if err != nil {
		return fmt.Errorf("putting the status of the policy: %w", err)
	}
	return q.putConfig(ctx, keyPolicyStatus, text)
}

func (q *Queue) putConfig(ctx context.Context, key string, text []byte) error {
	err := q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		_, err := kv.Put(ctx, key, text)
		return err
	})
	if err != nil {
		return fmt.Errorf("putting %s: %w", key, err)
	}
	return nil
}

// FleetReading is what the scaler tells of the whole fleet every few seconds. Its
// counters begin anew with StartedAt.
type FleetReading struct {
	StartedAt time.Time `json:"started_at"`
	Accepted  float64   `json:"accepted"`     // photos: a counter
	Finished  float64   `json:"finished"`     // by slots: a counter
	Worked    float64   `json:"busy_seconds"` // of slots: a counter
	Waiting   int       `json:"waiting"`
	InFlight  int       `json:"in_flight"`
	CPU       *float64  `json:"cpu,omitempty"` // mean of the workers, 0 to 1
	Ready     int       `json:"ready"`
	Starting  int       `json:"starting"`
	Draining  int       `json:"draining"`
	Stopped   int       `json:"stopped"`
	Target    int       `json:"target"`
	Boot      float64   `json:"boot_seconds"` // from launch to the first sign of life, measured; 0: not yet
	Heard     `json:"-"`
}

const fleetTelemetry = "telemetry.fleet"

// ReportFleet tells a reading, as ReportWorker does.
func (q *Queue) ReportFleet(ctx context.Context, r FleetReading) error {
	return q.report(ctx, fleetTelemetry, r)
}

// FleetReadings gives what was told within the window up to now, the oldest first.
func (q *Queue) FleetReadings(ctx context.Context, window time.Duration) ([]FleetReading, error) {
	return readings[FleetReading](ctx, q, fleetTelemetry, window)
}
