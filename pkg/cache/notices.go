package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"maskfleet/pkg/job"
)

const (
	noticeChannel = "maskfleet:done"
	noticeBuffer  = 1024

	// A silent connection is asked for a sign of life, and given up if none comes
	// within the same time.
	silenceLimit = 3 * time.Second

	resubscribeAfter = 50 * time.Millisecond // the first time, then doubled
	resubscribeLimit = 2 * time.Second
)

// Notify tells every listener of Notices, in any process, that a photo is done.
func (c *Cache) Notify(ctx context.Context, id job.ID) error {
	return c.call(ctx, "sending a notice", func(ctx context.Context) error {
		return c.redis.Publish(ctx, noticeChannel, id[:]).Err()
	})
}

// Notices gives the photos that Notify names, until ctx ends, which closes the
// channel. It subscribes anew for as long as that takes whenever Redis is away;
// what is sent meanwhile is lost, and so is what a listener is too slow to take,
// so listeners must also look for themselves now and then.
func (c *Cache) Notices(ctx context.Context) <-chan job.ID {
	out := make(chan job.ID, noticeBuffer)
	go func() {
		defer close(out)
		wait := resubscribeAfter
		for ctx.Err() == nil {
			if c.listen(ctx, out) {
				wait = resubscribeAfter
			}
			select {
			case <-ctx.Done():
			case <-time.After(wait/2 + rand.N(wait/2)):
			}
			wait = min(2*wait, resubscribeLimit)
		}
	}()
	return out
}

// listen passes notices on until the connection is lost or ctx ends. It says
// whether it was subscribed at all.
func (c *Cache) listen(ctx context.Context, out chan<- job.ID) (subscribed bool) {
	subscription := c.redis.Subscribe(ctx, noticeChannel)
	defer func() { _ = subscription.Close() }()
	// A read that waits does not see ctx end, but it does see the connection closed.
	defer context.AfterFunc(ctx, func() { _ = subscription.Close() })()
	for {
		message, err := receive(ctx, subscription)
		if err != nil {
			return subscribed
		}
		switch m := message.(type) {
		case *redis.Subscription:
			subscribed = true
		case *redis.Message:
			id, err := uuid.FromBytes([]byte(m.Payload))
			if err != nil {
				continue // not ours
			}
			select {
			case out <- id:
			default: // a slow listener must not become our memory
			}
		}
	}
}

// receive waits for the next message. An error means that the connection is lost.
func receive(ctx context.Context, from *redis.PubSub) (any, error) {
	message, err := from.ReceiveTimeout(ctx, silenceLimit)
	if !timedOut(err) {
		return message, err
	}
	if err := from.Ping(ctx); err != nil {
		return nil, fmt.Errorf("asking for a sign of life: %w", err)
	}
	return from.ReceiveTimeout(ctx, silenceLimit)
}

func timedOut(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}
