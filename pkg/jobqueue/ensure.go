package jobqueue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// ensureTries is how often a step may lose to another who takes it at this moment.
	ensureTries = 5
	// ensureTimeout bounds one step: making a stream waits for disks.
	ensureTimeout = 10 * time.Second
)

// Ensure makes the streams, buckets and consumers that are missing and brings those
// that differ to the settings of this build. It may be run by many at once and at
// any time; what lies in the streams stays, and a lane that is paused stays paused.
func (q *Queue) Ensure(ctx context.Context) error { return q.ensure(ctx, alter) }

// Restore is Ensure for services, which may not change what is there: it makes what a
// broker that lost its store is missing, and leaves the rest as whoever ran Ensure
// wanted it, with the settings of a later build perhaps.
func (q *Queue) Restore(ctx context.Context) error { return q.ensure(ctx, leave) }

// treatment says what becomes of a stream or consumer whose settings differ.
type treatment int

const (
	leave treatment = iota
	alter
)

func (q *Queue) ensure(ctx context.Context, differing treatment) error {
	for _, stream := range q.streams() {
		if err := q.ensureStream(ctx, stream, differing); err != nil {
			return fmt.Errorf("ensuring stream %s: %w", stream.Name, classify(err))
		}
	}
	for _, consumer := range q.consumers() {
		if err := q.ensureConsumer(ctx, consumer, differing); err != nil {
			return fmt.Errorf("ensuring consumer %s: %w", consumer.Durable, classify(err))
		}
	}
	return nil
}

func (q *Queue) ensureStream(ctx context.Context, want jetstream.StreamConfig, differing treatment) (err error) {
	for range ensureTries {
		err = q.makeOrChange(ctx, want, differing)
		// Another made it, or took it away, between our look and our step.
		if !errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) && !errors.Is(err, jetstream.ErrStreamNotFound) {
			return err
		}
	}
	return err
}

func (q *Queue) makeOrChange(ctx context.Context, want jetstream.StreamConfig, differing treatment) error {
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	stream, err := q.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		_, err = q.js.CreateStream(ctx, want)
		return err
	}
	if err != nil || differing == leave {
		return err
	}
	found := stream.CachedInfo().Config
	want.FirstSeq = found.FirstSeq // set for good when it was made
	same, err := covers(found, want)
	if err != nil || same {
		return err
	}
	_, err = q.js.UpdateStream(ctx, want)
	return err
}

// ensureConsumer leaves a pause alone: the broker takes one by its own request only.
func (q *Queue) ensureConsumer(ctx context.Context, want jetstream.ConsumerConfig, differing treatment) error {
	ctx, cancel := context.WithTimeout(ctx, ensureTimeout)
	defer cancel()
	consumer, err := q.js.Consumer(ctx, StreamJobs, want.Durable)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) {
		return err
	}
	if err == nil {
		if differing == leave {
			return nil
		}
		if same, err := covers(consumer.CachedInfo().Config, want); err != nil || same {
			return err
		}
	}
	_, err = q.js.CreateOrUpdateConsumer(ctx, StreamJobs, want)
	return err
}

// covers says whether found has every setting of want, in the words in which they
// travel; what the broker added to found by itself does not count.
func covers(found, want any) (bool, error) {
	have, err := settings(found)
	if err != nil {
		return false, err
	}
	wanted, err := settings(want)
	if err != nil {
		return false, err
	}
	for name, value := range wanted {
		if !reflect.DeepEqual(have[name], value) {
			return false, nil
		}
	}
	return true, nil
}

func settings(config any) (map[string]any, error) {
	data, err := json.Marshal(config)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	err = json.Unmarshal(data, &all)
	return all, err
}
