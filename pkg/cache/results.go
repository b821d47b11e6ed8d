package cache

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"maskfleet/pkg/job"
)

const (
	// tombstone stands in the place of a result that was deleted. It is no JSON, so
	// no result can look like it.
	tombstone    = "deleted"
	tombstoneTTL = time.Hour // longer than any worker can still have the photo in hand

	// entryVersion is raised when job.Photo changes so that an old entry would be
	// read wrongly; an entry of another version counts as absent.
	entryVersion = 1
)

// entry is a cached result as it is stored.
type entry struct {
	Version int       `json:"v"`
	Owner   uuid.UUID `json:"owner"`
	Photo   job.Photo `json:"photo"`
}

func resultKey(id job.ID) string { return "maskfleet:result:" + id.String() }

// PutResult keeps a succeeded photo for ResultTTL. The first entry of a photo
// stays, and so does the tombstone of a deleted one: both are no error.
func (c *Cache) PutResult(ctx context.Context, ownerID uuid.UUID, p job.Photo) error {
	if p.Row.State != job.StateSucceeded || p.Result == nil {
		return fmt.Errorf("caching the result of %s: its state is %q", p.ID, p.Row.State)
	}
	if p.OwnerID != ownerID {
		return fmt.Errorf("caching the result of %s: it belongs to somebody else", p.ID)
	}
	p.Failure = nil // of an earlier attempt, and its cause is not for storing
	data, err := json.Marshal(entry{Version: entryVersion, Owner: ownerID, Photo: p})
	if err != nil {
		return fmt.Errorf("caching the result of %s: %w", p.ID, err)
	}
	return c.call(ctx, "caching a result", func(ctx context.Context) error {
		err := c.redis.SetArgs(ctx, resultKey(p.ID), data, redis.SetArgs{Mode: "NX", TTL: c.resultTTL}).Err()
		return unlessNil(err)
	})
}

// Result gives a photo with its result, if it is cached. Whoever asked must still
// be held against its OwnerID.
func (c *Cache) Result(ctx context.Context, id job.ID) (job.Photo, bool, error) {
	var data []byte
	err := c.call(ctx, "reading a cached result", func(ctx context.Context) (err error) {
		data, err = c.redis.Get(ctx, resultKey(id)).Bytes()
		return unlessNil(err)
	})
	if err != nil || data == nil || string(data) == tombstone {
		return job.Photo{}, false, err
	}
	var e entry
	if err := json.Unmarshal(data, &e); err != nil {
		return job.Photo{}, false, fmt.Errorf("reading the cached result of %s: %w", id, err)
	}
	if e.Version != entryVersion || e.Photo.ID != id || e.Photo.OwnerID != e.Owner || e.Photo.Result == nil {
		return job.Photo{}, false, nil
	}
	return e.Photo, true, nil
}

// Forget deletes a photo's result and, for an hour, keeps PutResult from bringing
// it back: a worker may still hold the photo that a person has just deleted. It says
// whether there was a result.
func (c *Cache) Forget(ctx context.Context, id job.ID) (was bool, err error) {
	err = c.call(ctx, "forgetting a result", func(ctx context.Context) error {
		before, err := c.redis.SetArgs(ctx, resultKey(id), tombstone, redis.SetArgs{Get: true, TTL: tombstoneTTL}).Result()
		was = err == nil && before != tombstone
		return unlessNil(err)
	})
	return was, err
}

// unlessNil drops Redis's word for "there is nothing".
func unlessNil(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}
