package jobqueue

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// followPause is how long a broker that does not answer is left alone.
const followPause = time.Second

var errWatchEnded = errors.New("the watch ended")

// FollowWorkers calls each with who is alive, at once and after every change, until ctx
// ends. While the broker is away nobody is called: what was heard last stands.
//
// It looks anew every PresenceTTL, because a worker that falls silent vanishes without
// a word, and so does a bucket with the broker's store.
func (q *Queue) FollowWorkers(ctx context.Context, each func([]Worker)) {
	for ctx.Err() == nil {
		if err := q.followRound(ctx, each); err != nil && ctx.Err() == nil {
			q.log.DebugContext(ctx, "workers cannot be followed", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(followPause):
			}
		}
	}
}

// followRound is one look, and what changes within PresenceTTL from it.
func (q *Queue) followRound(ctx context.Context, each func([]Worker)) error {
	ctx, end := context.WithCancel(ctx)
	defer end()
	kv, err := q.js.KeyValue(ctx, BucketWorkers)
	if err != nil {
		return classify(err)
	}
	watcher, err := kv.WatchAll(ctx)
	if err != nil {
		return classify(err)
	}
	defer func() { _ = watcher.Stop() }() // an error means that it has stopped
	over := time.NewTimer(q.cfg.PresenceTTL)
	defer over.Stop()
	alive, listed := map[string]Worker{}, false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-over.C:
			return nil
		case entry, open := <-watcher.Updates():
			switch {
			case !open:
				return errWatchEnded
			case entry == nil: // those were all there are
				listed = true
			case entry.Operation() != jetstream.KeyValuePut:
				delete(alive, entry.Key())
			default:
				if w, ok := q.readWorker(ctx, entry); ok {
					alive[w.ID] = w
				}
			}
			if listed {
				each(slices.Collect(maps.Values(alive)))
			}
		}
	}
}
