package cache

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"maskfleet/pkg/apiv1"
	"maskfleet/pkg/job"
)

const (
	// tombstone stands in the place of a result that was deleted. It has one line, so
	// no result can look like it.
	tombstone    = "deleted"
	tombstoneTTL = time.Hour // longer than any worker can still have the photo in hand

	// entryVersion is raised when job.Photo or the answer about it changes, so that an
	// entry of another version counts as absent.
	entryVersion = "2"
)

// entry is a cached result: its owner, what the API answers about the photo, and the
// photo. Each is stored on a line of its own, and neither of the last two is looked
// into before somebody needs it: most readers want the answer alone, as it is.
type entry struct {
	owner         uuid.UUID
	answer, photo []byte // JSON, so without a line break
}

func newEntry(p job.Photo) ([]byte, error) {
	answer, err := json.Marshal(apiv1.NewDetection(p))
	if err != nil {
		return nil, err
	}
	photo, err := json.Marshal(p)
	if err != nil {
		return nil, err
	}
	return bytes.Join([][]byte{[]byte(entryVersion + " " + p.OwnerID.String()), answer, photo}, []byte("\n")), nil
}

// parseEntry takes an entry apart; what is none of this version is not ok.
func parseEntry(data []byte) (e entry, ok bool) {
	head, data, _ := bytes.Cut(data, []byte("\n"))
	version, owner, _ := bytes.Cut(head, []byte(" "))
	if string(version) != entryVersion {
		return entry{}, false
	}
	var err error
	e.owner, err = uuid.ParseBytes(owner)
	e.answer, e.photo, ok = bytes.Cut(data, []byte("\n"))
	return e, ok && err == nil
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
	data, err := newEntry(p)
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
	e, ok, err := c.entry(ctx, id)
	if err != nil || !ok {
		return job.Photo{}, false, err
	}
	var p job.Photo
	if err := json.Unmarshal(e.photo, &p); err != nil {
		return job.Photo{}, false, fmt.Errorf("reading the cached result of %s: %w", id, err)
	}
	if p.ID != id || p.OwnerID != e.owner || p.Result == nil {
		return job.Photo{}, false, nil
	}
	return p, true, nil
}

// Answer gives what the API answers about a photo with a result, if it is cached: an
// apiv1.Detection as JSON. Whoever asked must still be held against owner.
func (c *Cache) Answer(ctx context.Context, id job.ID) (answer []byte, owner uuid.UUID, ok bool, err error) {
	e, ok, err := c.entry(ctx, id)
	return e.answer, e.owner, ok, err
}

func (c *Cache) entry(ctx context.Context, id job.ID) (e entry, ok bool, err error) {
	var data []byte
	err = c.call(ctx, "reading a cached result", func(ctx context.Context) (err error) {
		data, err = c.redis.Get(ctx, resultKey(id)).Bytes()
		return unlessNil(err)
	})
	if err != nil {
		return entry{}, false, err
	}
	e, ok = parseEntry(data) // neither nothing nor a tombstone is one
	return e, ok, nil
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

// ForgetAll is Forget for many photos at a time, without saying what there was.
func (c *Cache) ForgetAll(ctx context.Context, ids ...job.ID) error {
	for some := range slices.Chunk(ids, forgottenAtOnce) {
		err := c.call(ctx, "forgetting results", func(ctx context.Context) error {
			_, err := c.redis.Pipelined(ctx, func(all redis.Pipeliner) error {
				for _, id := range some {
					all.Set(ctx, resultKey(id), tombstone, tombstoneTTL)
				}
				return nil
			})
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

const forgottenAtOnce = 500

// unlessNil drops Redis's word for "there is nothing".
func unlessNil(err error) error {
	if errors.Is(err, redis.Nil) {
		return nil
	}
	return err
}

// CountResults says how many of the photos have a result here; a tombstone is none.
func (c *Cache) CountResults(ctx context.Context, ids ...job.ID) (n int, err error) {
	for some := range slices.Chunk(ids, forgottenAtOnce) {
		keys := make([]string, len(some))
		for i, id := range some {
			keys[i] = resultKey(id)
		}
		err := c.call(ctx, "counting results", func(ctx context.Context) error {
			values, err := c.redis.MGet(ctx, keys...).Result()
			if err != nil {
				return err
			}
			for _, v := range values {
				if text, is := v.(string); is && text != tombstone {
					n++
				}
			}
			return nil
		})
		if err != nil {
			return n, err
		}
	}
	return n, nil
}
