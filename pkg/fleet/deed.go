package fleet

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// deed is something that is done to instances.
type deed struct {
	operation string
	do        func(ctx context.Context, ids []string) error
}

// perform does it to all in one call. AWS then refuses all because of one, so where
// that happens each is taken by itself. Each error names its instances.
func (f *Fleet) perform(ctx context.Context, lease Lease, d deed, ids []string) (done []string, errs []error) {
	if len(ids) == 0 {
		return nil, nil
	}
	err := f.change(ctx, lease, d.operation, func(ctx context.Context) error { return d.do(ctx, ids) })
	switch {
	case err == nil:
		return ids, nil
	case len(ids) > 1 && isOneOf(err, ErrNotFound, ErrProtected, ErrRefused):
		for _, id := range ids {
			some, err := f.perform(ctx, lease, d, []string{id})
			done, errs = append(done, some...), append(errs, err...)
		}
		return done, errs
	default:
		return nil, []error{fmt.Errorf("%v: %w", ids, err)}
	}
}

// ours leaves out what does not belong to the pool.
func (f *Fleet) ours(ctx context.Context, ids []string) (ours []string, errs []error) {
	var listed []Instance
	if !f.know(ids) {
		var err error
		if listed, err = f.look(ctx); err != nil {
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
