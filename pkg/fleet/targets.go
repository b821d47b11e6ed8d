package fleet

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// TargetState is how the balancer sees an instance.
type TargetState string

// The states. Reasons are AWS's codes, such as "Target.FailedHealthChecks".
const (
	TargetNone        TargetState = "" // not registered
	TargetUnknown     TargetState = "unknown"
	TargetInitial     TargetState = "initial"
	TargetHealthy     TargetState = "healthy"
	TargetUnhealthy   TargetState = "unhealthy"
	TargetDraining    TargetState = "draining"
	TargetUnused      TargetState = "unused"
	TargetUnavailable TargetState = "unavailable"
)

// Target is an instance as the balancer sees it.
type Target struct {
	State  TargetState `json:"state"`
	Reason string      `json:"reason,omitempty"`
}

// targets are all that are registered, by instance.
type targets map[string]Target

func (t targets) of(id string, unknown error) Target {
	if unknown != nil {
		return Target{State: TargetUnknown}
	}
	return t[id]
}

// targets asks the balancer. Without a target group there are none.
func (f *Fleet) targets(ctx context.Context) (targets, error) {
	all := make(targets)
	if f.cfg.TargetGroup == "" {
		return all, nil
	}
	err := f.read(ctx, "describe target health", func(ctx context.Context) error {
		out, err := f.balancer.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: &f.cfg.TargetGroup})
		if err != nil {
			return err
		}
		for _, d := range out.TargetHealthDescriptions {
			if d.Target != nil && d.TargetHealth != nil {
				all[aws.ToString(d.Target.Id)] = Target{State: TargetState(d.TargetHealth.State), Reason: string(d.TargetHealth.Reason)}
			}
		}
		return nil
	})
	return all, err
}

// Register puts instances behind the balancer; of those that are there it changes
// nothing. The error tells of those that it does not take, such as one that does not
// run yet; the others are behind it.
func (f *Fleet) Register(ctx context.Context, lease Lease, ids ...string) error {
	return f.target(ctx, lease, deed{"register targets", func(ctx context.Context, ids []string) error {
		_, err := f.balancer.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{
			TargetGroupArn: &f.cfg.TargetGroup, Targets: descriptions(ids),
		})
		return err
	}}, ids)
}

// Deregister takes instances out from behind the balancer. They must serve on until
// its deregistration delay is over. The error tells of those that may be there still.
func (f *Fleet) Deregister(ctx context.Context, lease Lease, ids ...string) error {
	return f.target(ctx, lease, deed{"deregister targets", func(ctx context.Context, ids []string) error {
		_, err := f.balancer.DeregisterTargets(ctx, &elasticloadbalancingv2.DeregisterTargetsInput{
			TargetGroupArn: &f.cfg.TargetGroup, Targets: descriptions(ids),
		})
		return err
	}}, ids)
}

func (f *Fleet) target(ctx context.Context, lease Lease, d deed, ids []string) error {
	if f.cfg.TargetGroup == "" {
		return nil
	}
	ids, foreign := f.ours(ctx, ids)
	_, errs := f.perform(ctx, lease, d, ids)
	return errors.Join(append(foreign, errs...)...)
}

func descriptions(ids []string) (all []types.TargetDescription) {
	for _, id := range ids {
		all = append(all, types.TargetDescription{Id: aws.String(id)})
	}
	return all
}
