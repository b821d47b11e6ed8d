package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Stop stops instances, to be started again by Grow. It gives those that are being
// stopped; the error tells of the others, and it may be tried again.
func (f *Fleet) Stop(ctx context.Context, lease Lease, ids ...string) ([]string, error) {
	return f.retire(ctx, lease, retirement{"stop instances", StateStopping, func(ctx context.Context, ids []string) error {
		_, err := f.ec2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
		return err
	}}, ids)
}

// Terminate ends instances for good. It gives those that are being ended; the error
// tells of the others, and it may be tried again.
func (f *Fleet) Terminate(ctx context.Context, lease Lease, ids ...string) ([]string, error) {
	return f.retire(ctx, lease, retirement{"terminate instances", stateShuttingDown, func(ctx context.Context, ids []string) error {
		_, err := f.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		return err
	}}, ids)
}

type retirement struct {
	operation string
	to        State
	do        func(ctx context.Context, ids []string) error
}

// retire takes them all at once. EC2 then refuses all because of one, so where that
// happens each is taken by itself.
func (f *Fleet) retire(ctx context.Context, lease Lease, r retirement, ids []string) (done []string, _ error) {
	ids, errs := f.ours(ctx, ids)
	together := [][]string{ids}
	if len(ids) == 0 {
		together = nil
	}
	for len(together) > 0 {
		some := together[0]
		together = together[1:]
		err := f.change(ctx, lease, r.operation, func(ctx context.Context) error { return r.do(ctx, some) })
		switch {
		case err == nil:
			f.note(r.to, some)
			done = append(done, some...)
		case len(some) > 1 && isOneOf(err, ErrNotFound, ErrProtected, ErrRefused):
			for _, id := range some {
				together = append(together, []string{id})
			}
		default:
			errs = append(errs, fmt.Errorf("%v: %w", some, err))
		}
	}
	if len(done) > 0 {
		f.log.InfoContext(ctx, "instances retired", "operation", r.operation, "instance_ids", done)
	}
	return done, errors.Join(errs...)
}

// ours leaves out what does not belong to the pool.
func (f *Fleet) ours(ctx context.Context, ids []string) (ours []string, errs []error) {
	var listed []Instance
	if !f.know(ids) {
		var err error
		if listed, err = f.list(ctx, evidence{}); err != nil {
			return nil, []error{err}
		}
	}
	for _, id := range ids {
		if f.know([]string{id}) || slices.ContainsFunc(listed, func(i Instance) bool { return i.ID == id }) {
			ours = append(ours, id)
		} else {
			errs = append(errs, fmt.Errorf("%s: %w", id, ErrForeign))
		}
	}
	return ours, errs
}

func (f *Fleet) know(ids []string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !slices.ContainsFunc(ids, func(id string) bool { return !f.memory.knows(id) })
}

func isOneOf(err error, kinds ...error) bool {
	return slices.ContainsFunc(kinds, func(kind error) bool { return errors.Is(err, kind) })
}
