package manager

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"
)

const catchUpPause = 50 * time.Millisecond

// again takes every reading that an action may have changed and that is not dear, anew.
func (b *board) again(ctx context.Context) {
	b.together(ctx, b.lanes.again, b.intake.again, b.trial.again, b.open.again, b.dead.again, b.groups.again, b.failing.again,
		b.decisions.again, b.waiting.again, b.erasures.again, b.audit.again, b.workers.again, b.fleet.scaler.again, b.fleet.instances.again)
}

// slower takes those anew of which alone something is awaited that takes a moment.
func (b *board) slower(ctx context.Context) {
	b.together(ctx, b.workers.again, b.fleet.scaler.again, b.fleet.instances.again)
}

func (b *board) together(ctx context.Context, reads ...func(context.Context)) {
	ctx, cancel := context.WithTimeout(ctx, b.catchUpOnce)
	defer cancel()
	var all errgroup.Group
	for _, read := range reads {
		all.Go(func() error { read(ctx); return nil })
	}
	_ = all.Wait() // each says by itself that it cannot read
}

// catchUp has the page that follows an action be of readings taken after it. Where more
// must happen before they show it, it waits for that, too, and looks no more at all of
// them; false if it did not come.
func (b *board) catchUp(ctx context.Context, shows func(*board) bool) bool {
	ctx, cancel := context.WithTimeout(ctx, b.catchUpTime)
	defer cancel()
	b.again(ctx)
	for shows != nil && !shows(b) {
		select {
		case <-ctx.Done():
			return false
		case <-time.After(catchUpPause):
		}
		b.slower(ctx)
	}
	return true
}

// decided says whether the scaler has decided by a version of the policy.
func decided(version int) func(*board) bool {
	return func(b *board) bool {
		status, _ := b.fleet.scaler.last()
		return status.Decision != nil && status.Decision.Version >= version
	}
}

// leaves says whether the fleet shows that an instance leaves, or has it no more.
func leaves(instance string) func(*board) bool {
	return func(b *board) bool {
		list, _ := b.fleet.instances.last()
		for _, i := range list.instances {
			if i.ID == instance {
				return i.Retirement != nil || i.Role != fleetReady && i.Role != fleetStarting
			}
		}
		return true
	}
}

// drains says whether a worker tells that it drains, or that it does not; one that is
// silent tells nothing.
func drains(worker string, should bool) func(*board) bool {
	return func(b *board) bool {
		workers, _ := b.workers.last()
		for _, w := range workers {
			if w.ID == worker {
				return w.Drain.OfInstance() == should
			}
		}
		return false
	}
}
