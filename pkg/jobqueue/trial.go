package jobqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"maskfleet/pkg/job"
)

// keyTrial is where the trial in the canary lane stands in CONFIG.
const keyTrial = "features.trial"

// Trial is a few photos that failed and are tried again at one worker, the canary,
// before the rest. While it lasts no other worker takes photos from the canary lane.
type Trial struct {
	Worker  string    `json:"worker,omitempty"` // by its id; empty: there is none
	Until   time.Time `json:"until,omitzero"`   // then everybody serves the lane again
	BegunAt time.Time `json:"begun_at,omitzero"`
	By      string    `json:"by,omitempty"`
	Reason  job.Code  `json:"reason,omitempty"` // why the photos had failed
	Model   string    `json:"model,omitempty"`  // with which model
	Photos  []job.ID  `json:"photos,omitempty"`
}

// Lasts says whether the canary lane is one worker's at the moment.
func (t Trial) Lasts(now time.Time) bool { return t.Worker != "" && now.Before(t.Until) }

// Admits says whether a worker may take photos from the canary lane.
func (t Trial) Admits(worker string, now time.Time) bool {
	return t.Worker == worker || !t.Lasts(now)
}

// PutTrial begins a trial in the place of the one before it.
func (q *Queue) PutTrial(ctx context.Context, t Trial) error {
	data, err := json.Marshal(t)
	if err != nil {
		return fmt.Errorf("putting the trial: %w", err)
	}
	return q.putConfig(ctx, keyTrial, data)
}

// Trial reads what PutTrial wrote last, the zero Trial if nothing.
func (q *Queue) Trial(ctx context.Context) (t Trial, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		t, _, err = readTrial(ctx, kv)
		return err
	})
	if err != nil {
		return Trial{}, fmt.Errorf("reading the trial: %w", err)
	}
	return t, nil
}

// EndTrial opens the canary lane to every worker, if the trial that began then still
// goes on; false if not. ErrChanged if another begins at this very moment.
func (q *Queue) EndTrial(ctx context.Context, begunAt time.Time) (ended bool, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		t, revision, err := readTrial(ctx, kv)
		now := time.Now().UTC()
		if err != nil || !t.BegunAt.Equal(begunAt) || !t.Lasts(now) {
			return err
		}
		t.Until = now
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		_, err = kv.Update(ctx, keyTrial, data, revision)
		ended = err == nil
		return err
	})
	if isWrongSequence(err) {
		err = ErrChanged
	}
	if err != nil {
		return false, fmt.Errorf("ending the trial: %w", err)
	}
	return ended, nil
}

func readTrial(ctx context.Context, kv jetstream.KeyValue) (t Trial, revision uint64, err error) {
	entry, err := kv.Get(ctx, keyTrial)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return Trial{}, 0, nil
	}
	if err != nil {
		return Trial{}, 0, err
	}
	return t, entry.Revision(), json.Unmarshal(entry.Value(), &t)
}
