package cache

import (
	"context"
	"time"

	"github.com/redis/go-redis/v9"
)

// Allow counts a use of key and says whether it is among the first limit uses of
// its window, which begins with the first use and lasts per (whole milliseconds).
// A refused use learns how long the window still lasts.
func (c *Cache) Allow(ctx context.Context, key string, limit int, per time.Duration) (ok bool, retryAfter time.Duration, err error) {
	var uses *redis.IntCmd
	var left *redis.DurationCmd
	err = c.call(ctx, "counting against a limit", func(ctx context.Context) error {
		_, err := c.redis.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			key := limitKey(key)
			uses = tx.Incr(ctx, key)
			tx.Do(ctx, "PEXPIRE", key, per.Milliseconds(), "NX")
			left = tx.PTTL(ctx, key)
			return nil
		})
		return err
	})
	if err != nil {
		return false, 0, err
	}
	if uses.Val() <= int64(limit) {
		return true, 0, nil
	}
	return false, max(left.Val(), time.Millisecond), nil
}

// Peek says whether Allow would allow one more use of key, and counts nothing. A
// use that would be refused learns how long the window still lasts.
func (c *Cache) Peek(ctx context.Context, key string, limit int) (ok bool, retryAfter time.Duration, err error) {
	var uses *redis.StringCmd
	var left *redis.DurationCmd
	err = c.call(ctx, "looking at a limit", func(ctx context.Context) error {
		_, err := c.redis.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			key := limitKey(key)
			uses = tx.Get(ctx, key)
			left = tx.PTTL(ctx, key)
			return nil
		})
		return unlessNil(err)
	})
	if err != nil {
		return false, 0, err
	}
	if n, err := uses.Int(); n < limit { // nothing was counted yet: 0
		return true, 0, unlessNil(err)
	}
	return false, max(left.Val(), time.Millisecond), nil
}

func limitKey(key string) string { return "maskfleet:limit:" + key }
