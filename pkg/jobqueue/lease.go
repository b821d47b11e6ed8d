package jobqueue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// AcquireLease takes the named lease, or renews it: ok says whether holder has it
// now, until PresenceTTL from this call; call again well before. A lease is free
// when nobody renewed it in time or its holder released it. Holder must name this
// run of the program and no other.
//
// The revision grows with every take and renewal and never comes again, not even on
// a broker that lost its store: what carries a higher one was decided later. An
// error, and ok false, mean the same to who acts on the lease: stop acting.
func (q *Queue) AcquireLease(ctx context.Context, name, holder string) (ok bool, revision uint64, err error) {
	err = q.inBucket(ctx, BucketLeases, func(ctx context.Context, kv jetstream.KeyValue) error {
		revision, err = acquire(ctx, kv, name, holder)
		return err
	})
	switch {
	case isWrongSequence(err), errors.Is(err, errHeld):
		return false, 0, nil
	case err != nil:
		return false, 0, fmt.Errorf("acquiring lease %s: %w", name, err)
	default:
		return true, revision, nil
	}
}

// ReleaseLease gives the lease to who asks next, at once. Of a lease that holder
// does not have, it changes nothing.
func (q *Queue) ReleaseLease(ctx context.Context, name, holder string) error {
	err := q.inBucket(ctx, BucketLeases, func(ctx context.Context, kv jetstream.KeyValue) error {
		entry, err := held(ctx, kv, name, holder)
		if err != nil || entry == nil {
			return err
		}
		return kv.Delete(ctx, name, jetstream.LastRevision(entry.Revision()))
	})
	if err != nil && !isWrongSequence(err) && !errors.Is(err, errHeld) {
		return fmt.Errorf("releasing lease %s: %w", name, err)
	}
	return nil
}

// Lease is who acts for all in one respect.
type Lease struct {
	Holder    string    // this run of a program
	RenewedAt time.Time // by the broker's clock
}

// ReadLease says who has the named lease; nil: nobody.
func (q *Queue) ReadLease(ctx context.Context, name string) (lease *Lease, err error) {
	err = q.inBucket(ctx, BucketLeases, func(ctx context.Context, kv jetstream.KeyValue) error {
		entry, err := entryOf(ctx, kv, name)
		if entry != nil {
			lease = &Lease{Holder: string(entry.Value()), RenewedAt: entry.Created().UTC()}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("reading lease %s: %w", name, err)
	}
	return lease, nil
}

// errHeld says that the lease is another's.
var errHeld = errors.New("lease is held by another")

// acquire writes the lease only as it was read: of two at once, one is refused.
func acquire(ctx context.Context, kv jetstream.KeyValue, name, holder string) (uint64, error) {
	entry, err := held(ctx, kv, name, holder)
	switch {
	case err != nil:
		return 0, err
	case entry == nil:
		return kv.Create(ctx, name, []byte(holder))
	default:
		return kv.Update(ctx, name, []byte(holder), entry.Revision())
	}
}

// held reads the lease: nil if it is free, errHeld if it is another's.
func held(ctx context.Context, kv jetstream.KeyValue, name, holder string) (jetstream.KeyValueEntry, error) {
	entry, err := entryOf(ctx, kv, name)
	switch {
	case entry == nil:
		return nil, err
	case string(entry.Value()) != holder:
		return nil, errHeld
	default:
		return entry, nil
	}
}
