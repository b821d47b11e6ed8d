package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/google/uuid"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobstore"
)

// Run erases what has its tombstone or is past its time until ctx ends. One door of
// all does it; any other takes over when that one is gone.
func (e *eraser) Run(ctx context.Context) error {
	tick := time.NewTicker(e.cfg.EraseInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-e.wake:
		}
		for _, part := range []struct {
			doing string
			do    func(context.Context) error
		}{
			{"erasing photos", e.eraseMarked},
			{"erasing batches", e.eraseBatches},
			{"erasing what batches were made of", e.eraseSources},
			{"erasing accounts", e.eraseUsers},
			{"erasing what is past its time", e.expire},
			{"forgetting password resets", e.store.PurgePasswordResets},
			{"holding the bucket against the rows", e.sweepWhenDue},
		} {
			if !e.mine(ctx) {
				break
			}
			if err := part.do(ctx); err != nil && ctx.Err() == nil {
				e.log.WarnContext(ctx, part.doing+" did not end well", "err", err) //nolint:sloglint // seven constants
			}
		}
	}
}

// mine takes or renews the lease. Long parts ask again, for it lasts seconds only;
// two doors at work at once would only do things twice.
func (e *eraser) mine(ctx context.Context) bool {
	ok, _, err := e.queue.AcquireLease(ctx, eraserLease, e.holder)
	if err != nil && ctx.Err() == nil {
		e.log.DebugContext(ctx, "eraser without a lease", "err", err)
	}
	return ok && err == nil
}

// eraseMarked finishes every photo that has its tombstone. One that cannot be
// finished does not stand in the way of the others. Those that a person waits for are
// left to who answers: the answer says what was removed.
func (e *eraser) eraseMarked(ctx context.Context) error {
	var last jobstore.Erasable
	for e.mine(ctx) {
		photos, err := e.store.PhotosToErase(ctx, last, erasedAtATime)
		if err != nil || len(photos) == 0 {
			return err
		}
		failed := 0
		for _, p := range photos {
			if _, inHand := e.inHand.Load(p.ID); inHand {
				continue
			}
			failed += e.finish(ctx, p).Pending
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if failed == len(photos) { // S3 or NATS is away
			return nil
		}
		last = photos[len(photos)-1]
	}
	return nil
}

// eraseUsers removes accounts that an administrator deleted: first their photos, then
// the account.
func (e *eraser) eraseUsers(ctx context.Context) error {
	users, err := e.store.UsersToRemove(ctx, erasedAtATime)
	if err != nil {
		return err
	}
	for _, user := range users {
		if err := e.eraseUser(ctx, user); err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) eraseUser(ctx context.Context, user uuid.UUID) error {
	if err := e.markBatches(ctx, user); err != nil {
		return err
	}
	for e.mine(ctx) {
		ids, err := e.store.ListIDs(ctx, jobstore.Filter{OwnerID: user, Limit: erasedAtATime})
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			break
		}
		if _, _, err := e.mark(ctx, user, ids); err != nil {
			return err
		}
	}
	if err := e.eraseMarked(ctx); err != nil {
		return err
	}
	removed, err := e.store.RemoveUser(ctx, user)
	if removed {
		e.log.InfoContext(ctx, "account erased", "user_id", user)
	}
	return err
}

// markBatches sets the tombstones of an account's batches; eraseBatches removes them.
func (e *eraser) markBatches(ctx context.Context, user uuid.UUID) error {
	for e.mine(ctx) {
		batches, err := e.store.ListBatches(ctx, jobstore.BatchFilter{OwnerID: user, Limit: erasedAtATime})
		if err != nil || len(batches) == 0 {
			return err
		}
		for _, b := range batches {
			if _, err := e.markBatch(ctx, b.ID); err != nil && !errors.Is(err, jobstore.ErrNotFound) {
				return err
			}
		}
		e.nudge()
	}
	return nil
}

// expire deletes photos that were kept as long as was promised.
func (e *eraser) expire(ctx context.Context) error {
	if e.cfg.KeepStaff == 0 {
		return nil
	}
	for _, lane := range job.Lanes() { // that of a batch goes with it, whatever its lane
		if err := e.expireLane(ctx, lane, e.cfg.KeepStaff); err != nil {
			return err
		}
	}
	return nil
}

func (e *eraser) expireLane(ctx context.Context, lane job.Lane, keep time.Duration) error {
	for e.mine(ctx) {
		ids, err := e.store.PhotosPast(ctx, lane, keep, erasedAtATime)
		if err != nil || len(ids) == 0 {
			return err
		}
		for _, id := range ids {
			if _, err := e.store.Delete(ctx, id); err != nil {
				return err
			}
		}
		e.log.InfoContext(ctx, "photos past their time deleted", "lane", lane, "photos", len(ids))
		e.nudge()
	}
	return nil
}
