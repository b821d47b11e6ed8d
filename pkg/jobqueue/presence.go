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

// Worker is what a worker says of itself. Workers know nothing else of one another.
type Worker struct {
	ID        string    `json:"id"`
	Instance  string    `json:"instance"` // the machine, by the cloud's name
	Zone      string    `json:"zone,omitempty"`
	Host      string    `json:"host"`
	Version   string    `json:"version"`
	Roles     string    `json:"roles"` // what runs on the instance, comma between
	Model     job.Model `json:"model"`
	Slots     int       `json:"slots"`
	Busy      int       `json:"busy"` // slots at work
	Draining  bool      `json:"draining"`
	Drain     Drain     `json:"drain,omitempty"`     // why it is draining
	DrainBy   string    `json:"drain_by,omitempty"`  // who asked for it
	DrainWhy  string    `json:"drain_why,omitempty"` // in their words
	StartedAt time.Time `json:"started_at"`
	SeenAt    time.Time `json:"-"`                // by the broker's clock; set by Workers
	CPU       float64   `json:"cpu"`              // share of the machine, 0 to 1
	SaidAt    time.Time `json:"said_at,omitzero"` // by the worker's own clock

	// SpotNotice says that the instance will be taken away; nil: not that it knows.
	SpotNotice *SpotNotice `json:"spot_notice,omitempty"`
}

// Drain is why a worker takes no more photos.
type Drain string

// The reasons. The first two are about the whole instance: the door beside the worker
// goes out of service, too. The last is about the worker's process alone.
const (
	DrainCommand  Drain = "command"
	DrainSpot     Drain = "spot-notice"
	DrainStopping Drain = "stopping"
)

// OfInstance says whether all of the instance is to go out of service.
func (d Drain) OfInstance() bool { return d == DrainCommand || d == DrainSpot }

// SpotNotice is what the cloud said of an instance that it wants back.
type SpotNotice struct {
	Action string    `json:"action"` // such as "terminate"
	At     time.Time `json:"at"`     // when
}

// Clock is by how much the worker's clock is ahead of the broker's, less what its word
// was on its way; false for one that does not say.
func (w Worker) Clock() (ahead time.Duration, known bool) {
	if w.SaidAt.IsZero() || w.SeenAt.IsZero() {
		return 0, false
	}
	return w.SaidAt.Sub(w.SeenAt), true
}

// PutWorker says that the worker is alive. The entry vanishes PresenceTTL after it
// was last put.
func (q *Queue) PutWorker(ctx context.Context, w Worker) error {
	data, err := json.Marshal(w)
	if err != nil {
		return fmt.Errorf("announcing worker %s: %w", w.ID, err)
	}
	err = q.inBucket(ctx, BucketWorkers, func(ctx context.Context, kv jetstream.KeyValue) error {
		_, err := kv.Put(ctx, w.ID, data)
		return err
	})
	if err != nil {
		return fmt.Errorf("announcing worker %s: %w", w.ID, err)
	}
	return nil
}

// RemoveWorker takes the worker's entry back, for one that ends in good order.
func (q *Queue) RemoveWorker(ctx context.Context, id string) error {
	err := q.inBucket(ctx, BucketWorkers, func(ctx context.Context, kv jetstream.KeyValue) error {
		return kv.Delete(ctx, id)
	})
	if err != nil {
		return fmt.Errorf("removing worker %s: %w", id, err)
	}
	return nil
}

// Workers lists who is alive. An entry that cannot be read is left out and logged:
// one stray key must not hide the fleet.
func (q *Queue) Workers(ctx context.Context) ([]Worker, error) {
	var workers []Worker
	err := q.inBucket(ctx, BucketWorkers, func(ctx context.Context, kv jetstream.KeyValue) error {
		watcher, err := kv.WatchAll(ctx, jetstream.IgnoreDeletes())
		if err != nil {
			return err
		}
		defer func() { _ = watcher.Stop() }() // an error means that it has stopped
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case entry := <-watcher.Updates():
				if entry == nil { // that was all
					return nil
				}
				if w, ok := q.readWorker(ctx, entry); ok {
					workers = append(workers, w)
				}
			}
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listing workers: %w", err)
	}
	return workers, nil
}

func (q *Queue) readWorker(ctx context.Context, entry jetstream.KeyValueEntry) (Worker, bool) {
	var w Worker
	if err := json.Unmarshal(entry.Value(), &w); err != nil || w.ID != entry.Key() {
		q.log.WarnContext(ctx, "entry of a worker cannot be read", "key", entry.Key(), "err", err)
		return Worker{}, false
	}
	w.SeenAt = entry.Created().UTC()
	return w, true
}

// entryOf is what stands under a key; nil: nothing, or no more.
func entryOf(ctx context.Context, kv jetstream.KeyValue, key string) (jetstream.KeyValueEntry, error) {
	entry, err := kv.Get(ctx, key)
	if errors.Is(err, jetstream.ErrKeyNotFound) { // a deleted one, too
		return nil, nil //nolint:nilnil // nothing is an answer
	}
	if err != nil {
		return nil, err
	}
	return entry, nil
}

// inBucket opens a bucket and does one thing in it.
func (q *Queue) inBucket(ctx context.Context, bucket string, do func(context.Context, jetstream.KeyValue) error) error {
	ctx, cancel := q.bounded(ctx)
	defer cancel()
	kv, err := q.js.KeyValue(ctx, bucket)
	if err != nil {
		return classify(err)
	}
	return classify(do(ctx, kv))
}
