package cache

import (
	"context"
	"strconv"
	"strings"
	"time"
)

// Server is what Redis says of itself.
type Server struct {
	Version         string
	Keys            int
	Bytes, MaxBytes int64  // of memory; MaxBytes is 0 without a limit
	Eviction        string // what it does at the limit

	AppendOnly bool      // it writes each change to disk
	SavedAt    time.Time // when it last wrote all to disk, or began to run
	Unsaved    int       // changes since
}

// Describe asks Redis what it is and how full.
func (c *Cache) Describe(ctx context.Context) (d Server, err error) {
	err = c.call(ctx, "describing redis", func(ctx context.Context) error {
		text, err := c.redis.Info(ctx, "server", "memory", "persistence").Result()
		if err != nil {
			return err
		}
		keys, err := c.redis.DBSize(ctx).Result()
		d = parseInfo(text)
		d.Keys = int(keys)
		return err
	})
	return d, err
}

// parseInfo reads lines of the form "name:value"; what is missing stays zero.
func parseInfo(text string) (d Server) {
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch name {
		case "redis_version":
			d.Version = value
		case "used_memory":
			d.Bytes, _ = strconv.ParseInt(value, 10, 64)
		case "maxmemory":
			d.MaxBytes, _ = strconv.ParseInt(value, 10, 64)
		case "maxmemory_policy":
			d.Eviction = value
		case "aof_enabled":
			d.AppendOnly = value == "1"
		case "rdb_last_save_time":
			if at, err := strconv.ParseInt(value, 10, 64); err == nil {
				d.SavedAt = time.Unix(at, 0).UTC()
			}
		case "rdb_changes_since_last_save":
			d.Unsaved, _ = strconv.Atoi(value)
		}
	}
	return d
}
