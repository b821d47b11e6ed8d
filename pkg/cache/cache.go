package cache

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const defaultTimeout = 250 * time.Millisecond

// Config says where Redis is and how long it keeps results.
type Config struct {
	Address   string        `env:"REDIS_ADDRESS" envDefault:"127.0.0.1:6379"`
	Password  string        `env:"REDIS_PASSWORD" secret:"true"`
	ResultTTL time.Duration `env:"RESULT_TTL" envDefault:"24h"`
	// Timeout is how long a whole call may take, its one retry included; 0: 250 ms.
	// It is what every request waits in vain while Redis is away.
	Timeout time.Duration `env:"REDIS_TIMEOUT" envDefault:"250ms"`
}

// Validate says what is wrong with the settings, all of it at once.
func (c Config) Validate() error {
	var errs []error
	if _, _, err := net.SplitHostPort(c.Address); err != nil {
		errs = append(errs, fmt.Errorf("REDIS_ADDRESS must be host:port: %w", err))
	}
	if c.ResultTTL < time.Second {
		errs = append(errs, errors.New("RESULT_TTL must be at least 1s"))
	}
	if c.Timeout < 0 {
		errs = append(errs, errors.New("REDIS_TIMEOUT must not be below 0"))
	}
	return errors.Join(errs...)
}

// Cache is a pool of connections to Redis. It is safe for concurrent use.
type Cache struct {
	redis     *redis.Client
	resultTTL time.Duration
	timeout   time.Duration
}

// Open makes a cache without any I/O: a Redis that is away now may come later. It
// silences go-redis, which logs lines of its own shape to the standard error and
// can be told so only for the whole program; its errors are returned anyway.
func Open(c Config) *Cache {
	logging.Disable()
	timeout := cmp.Or(c.Timeout, defaultTimeout)
	exchange := timeout * 4 / 5 // of connecting, of one read, of one write
	return &Cache{
		resultTTL: c.ResultTTL,
		timeout:   timeout,
		redis: redis.NewClient(&redis.Options{
			Addr:                  c.Address,
			Password:              c.Password,
			DialTimeout:           exchange,
			ReadTimeout:           exchange,
			WriteTimeout:          exchange,
			PoolTimeout:           exchange,
			ContextTimeoutEnabled: true,
			MaxRetries:            1,
			DialerRetries:         1,
			ConnMaxIdleTime:       time.Minute,
			DisableIdentity:       true,
			MaintNotificationsConfig: &maintnotifications.Config{
				Mode: maintnotifications.ModeDisabled, // only Redis's own cloud sends them
			},
		}),
	}
}

// Close ends every connection. Channels of Notices end with their own contexts.
func (c *Cache) Close() error { return c.redis.Close() }

// Ping says whether Redis answers.
func (c *Cache) Ping(ctx context.Context) error {
	return c.call(ctx, "pinging redis", func(ctx context.Context) error {
		return c.redis.Ping(ctx).Err()
	})
}

// call bounds the time of an exchange with Redis and marks its error.
func (c *Cache) call(ctx context.Context, doing string, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if err := do(limited); err != nil {
		return fmt.Errorf("%s: %w", doing, classify(ctx, err))
	}
	return nil
}
