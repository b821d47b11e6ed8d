package fleet

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// Stop stops instances, to be started again by Grow. It gives those that are being
// stopped; the error tells of the others, and it may be tried again.
func (f *Fleet) Stop(ctx context.Context, lease Lease, ids ...string) ([]string, error) {
	return f.retire(ctx, lease, StateStopping, deed{"stop instances", func(ctx context.Context, ids []string) error {
		_, err := f.ec2.StopInstances(ctx, &ec2.StopInstancesInput{InstanceIds: ids})
		return err
	}}, ids)
}

// Terminate ends instances for good. It gives those that are being ended; the error
// tells of the others, and it may be tried again.
func (f *Fleet) Terminate(ctx context.Context, lease Lease, ids ...string) ([]string, error) {
	return f.retire(ctx, lease, stateShuttingDown, deed{"terminate instances", func(ctx context.Context, ids []string) error {
		_, err := f.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids})
		return err
	}}, ids)
}

func (f *Fleet) retire(ctx context.Context, lease Lease, to State, d deed, ids []string) ([]string, error) {
	ids, foreign := f.ours(ctx, ids)
	done, errs := f.perform(ctx, lease, d, ids)
	if len(done) > 0 {
		f.note(to, done)
		f.log.InfoContext(ctx, "instances retired", "operation", d.operation, "instance_ids", done)
	}
	return done, errors.Join(append(foreign, errs...)...)
}
