package jobqueue

import (
	"context"
	"encoding/json"
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
	Opened  bool      `json:"opened,omitempty"` // all of them have been: it is over when they have ended
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

// OpenTrial notes that the photos of the trial that began then have been opened again.
func (q *Queue) OpenTrial(ctx context.Context, begunAt time.Time) error {
	_, err := q.changeTrial(ctx, begunAt, func(t *Trial) { t.Opened = true })
	if err != nil {
		return fmt.Errorf("opening the trial: %w", err)
	}
	return nil
}

// EndTrial opens the canary lane to every worker, if the trial that began then still
// goes on; false if not, or if somebody else was quicker.
func (q *Queue) EndTrial(ctx context.Context, begunAt time.Time) (ended bool, err error) {
	ended, err = q.changeTrial(ctx, begunAt, func(t *Trial) { t.Until = time.Now().UTC() })
	if err != nil {
		return false, fmt.Errorf("ending the trial: %w", err)
	}
	return ended, nil
}

// changeTrial changes the trial that began then, if it goes on and nobody else changes
// it at this moment.
func (q *Queue) changeTrial(ctx context.Context, begunAt time.Time, change func(*Trial)) (changed bool, err error) {
	err = q.inBucket(ctx, BucketConfig, func(ctx context.Context, kv jetstream.KeyValue) error {
		t, revision, err := readTrial(ctx, kv)
		if err != nil || !t.BegunAt.Equal(begunAt) || !t.Lasts(time.Now()) {
			return err
		}
		change(&t)
		data, err := json.Marshal(t)
		if err != nil {
			return err
		}
		_, err = kv.Update(ctx, keyTrial, data, revision)
		changed = err == nil
		return err
	})
	if isWrongSequence(err) {
		return false, nil
	}
	return changed, err
}

func readTrial(ctx context.Context, kv jetstream.KeyValue) (t Trial, revision uint64, err error) {
	entry, err := entryOf(ctx, kv, keyTrial)
	if entry == nil {
		return Trial{}, 0, err
	}
	return t, entry.Revision(), json.Unmarshal(entry.Value(), &t)
}
