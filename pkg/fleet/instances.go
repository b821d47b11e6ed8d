package fleet

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// pageSize is the most that EC2 puts on a page.
const pageSize = 1000

// Heartbeats is when workers last gave a sign of life, by instance. Nil means that
// nobody knows, and then nobody is judged or given up; an empty map that nobody lives.
type Heartbeats map[string]time.Time

// Listing is what the pool looks like.
type Listing struct {
	At        time.Time
	Instances []Instance // not those that have ended
	// Targets is why the balancer's view is missing; nil: it is not.
	Targets error
}

// Instances lists the pool, whatever EC2's answer still lacks or still shows. A list
// that is empty although something else speaks of instances is ErrEmptyList: nothing
// may be concluded from it.
func (f *Fleet) Instances(ctx context.Context, alive Heartbeats) (Listing, error) {
	targets, health := f.targets(ctx)
	instances, err := f.list(ctx, evidence{alive: alive, targets: targets})
	if err != nil {
		return Listing{}, fmt.Errorf("listing the fleet: %w", err)
	}
	now := time.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boots.judge(now, instances, alive)
	for i := range instances {
		instances[i].Target = targets.of(instances[i].ID, health)
	}
	return Listing{At: now, Instances: instances, Targets: health}, nil
}

// list asks EC2 and adds what is known beside its answer. Who only acts has no signs
// to give: then nobody is given up.
func (f *Fleet) list(ctx context.Context, signs evidence) ([]Instance, error) {
	launches, err := f.ledger.UnsettledLaunches(ctx)
	if err != nil {
		return nil, err
	}
	listed, err := f.describe(ctx)
	if err != nil {
		return nil, err
	}
	f.mu.Lock()
	view, err := f.memory.reconcile(time.Now(), listed, launches, signs)
	f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	for _, id := range view.vanished {
		f.log.WarnContext(ctx, "instance is no longer listed", "instance_id", id)
	}
	for _, id := range view.settled {
		if _, err := f.ledger.SettleLaunch(ctx, id); err != nil {
			return nil, err
		}
	}
	return view.instances, nil
}

// describe follows the pages to their end.
func (f *Fleet) describe(ctx context.Context, filters ...types.Filter) (all []Instance, err error) {
	pages := ec2.NewDescribeInstancesPaginator(f.ec2, &ec2.DescribeInstancesInput{
		Filters:    append(filters, types.Filter{Name: aws.String("tag:" + tagPool), Values: []string{f.cfg.Pool}}),
		MaxResults: &f.page,
	})
	for pages.HasMorePages() {
		err := f.read(ctx, "describe instances", func(ctx context.Context) error {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return err
			}
			for _, reservation := range page.Reservations {
				for _, instance := range reservation.Instances {
					all = append(all, readInstance(instance))
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}
