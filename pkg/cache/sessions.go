package cache

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"
)

// sessionKey hides the token: who can read Redis still cannot take a session over.
func sessionKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "maskfleet:session:" + hex.EncodeToString(sum[:])
}

// userKey names the sorted set of a user's sessions, scored by when they end.
func userKey(userID uuid.UUID) string { return "maskfleet:sessions-of:" + userID.String() }

// PutSession keeps a user's session under its token for ttl. Put again, it has new
// data and a new end.
func (c *Cache) PutSession(ctx context.Context, userID uuid.UUID, token string, data []byte, ttl time.Duration) error {
	key, index, now := sessionKey(token), userKey(userID), time.Now()
	return c.call(ctx, "keeping a session", func(ctx context.Context) error {
		_, err := c.redis.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			tx.Set(ctx, key, data, ttl)
			tx.ZRemRangeByScore(ctx, index, "-inf", strconv.FormatInt(now.Unix(), 10))
			tx.ZAdd(ctx, index, redis.Z{Score: float64(now.Add(ttl).Unix() + 1), Member: key})
			// The index lives as long as its longest session: set an end, then only
			// ever move it out.
			tx.ExpireNX(ctx, index, ttl)
			tx.ExpireGT(ctx, index, ttl)
			return nil
		})
		return err
	})
}

// Session gives the data of a session that has not ended.
func (c *Cache) Session(ctx context.Context, token string) ([]byte, bool, error) {
	var data []byte
	found := false
	err := c.call(ctx, "reading a session", func(ctx context.Context) error {
		var err error
		data, err = c.redis.Get(ctx, sessionKey(token)).Bytes()
		found = err == nil
		return unlessNil(err)
	})
	return data, found, err
}

// DropSession ends a session; one that has ended already is no error.
func (c *Cache) DropSession(ctx context.Context, token string) error {
	return c.call(ctx, "dropping a session", func(ctx context.Context) error {
		return c.redis.Del(ctx, sessionKey(token)).Err()
	})
}

// DropUserSessions ends all sessions of a user, as after a change of password. One
// that is put at the same moment may stay.
func (c *Cache) DropUserSessions(ctx context.Context, userID uuid.UUID) error {
	return c.call(ctx, "dropping a user's sessions", func(ctx context.Context) error {
		keys, err := c.redis.ZRange(ctx, userKey(userID), 0, -1).Result()
		if err != nil || len(keys) == 0 {
			return err
		}
		_, err = c.redis.TxPipelined(ctx, func(tx redis.Pipeliner) error {
			tx.Del(ctx, keys...)
			// Not the whole index: a session put meanwhile must stay in it.
			tx.ZRem(ctx, userKey(userID), keys)
			return nil
		})
		return err
	})
}
