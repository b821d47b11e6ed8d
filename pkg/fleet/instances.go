package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"maskfleet/pkg/jobstore"
)

// pageSize is the most that EC2 puts on a page.
const pageSize = 1000

// Heartbeats is when workers last gave a sign of life, by instance. Nil means that
// nobody knows, and then nobody is judged or given up; an empty map that nobody lives.
type Heartbeats map[string]time.Time

// Listing is what the pool looks like.
type Listing struct {
	At        time.Time  // when we began to ask: what was done later, it may not show
	Instances []Instance // not those that have ended
	// Targets is why the balancer's view is missing; nil: it is not.
	Targets error
}

// Instances lists the pool, whatever EC2's answer still lacks or still shows. A list
// that is empty although something else speaks of instances is ErrEmptyList: nothing
// may be concluded from it.
//
// It usually takes some ten milliseconds, and at most twice Config.CallTimeout for
// every thousand instances. A balancer that does not answer holds it up until then or
// until ctx ends, and the listing comes all the same.
func (f *Fleet) Instances(ctx context.Context, alive Heartbeats) (Listing, error) {
	begun := time.Now()
	signs := evidence{alive: alive}
	var health error
	var asking sync.WaitGroup
	asking.Go(func() { signs.targets, health = f.targets(ctx) })
	launches, listed, err := f.ask(ctx)
	asking.Wait()
	if err != nil {
		return Listing{}, fmt.Errorf("listing the fleet: %w", err)
	}
	instances, err := f.reconcile(ctx, listed, launches, signs)
	if err != nil {
		return Listing{}, fmt.Errorf("listing the fleet: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.boots.judge(begun, instances, alive) // not now: signs grow no older while EC2 thinks
	for i := range instances {
		instances[i].Target = signs.targets.of(instances[i].ID, health)
		instances[i].Outdated = instances[i].Version != "" && instances[i].Version != f.cfg.version()
	}
	return Listing{At: begun, Instances: instances, Targets: health}, nil
}

// look lists the pool for who only acts, and has no signs to give: nobody is judged or
// given up.
func (f *Fleet) look(ctx context.Context) ([]Instance, error) {
	launches, listed, err := f.ask(ctx)
	if err != nil {
		return nil, err
	}
	return f.reconcile(ctx, listed, launches, evidence{})
}

// ask gives EC2's answer and the launches that it may not show yet.
func (f *Fleet) ask(ctx context.Context) (launches []jobstore.LaunchIntent, listed []Instance, err error) {
	if launches, err = f.ledger.UnsettledLaunches(ctx); err != nil {
		return nil, nil, err
	}
	listed, err = f.describe(ctx)
	return launches, listed, err
}

// reconcile adds to the answer what is known beside it.
func (f *Fleet) reconcile(ctx context.Context, listed []Instance, launches []jobstore.LaunchIntent, signs evidence) ([]Instance, error) {
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
		if _, err := f.ledger.SettleLaunch(ctx, id); err != nil { // the next list settles it
			f.log.WarnContext(ctx, "launch not settled", "launch_id", id, "err", err)
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
