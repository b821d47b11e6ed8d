package fleet

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
)

// startStopped starts up to n stopped instances of the present version. Starting needs
// capacity as launching does: where there is none, nothing is started and the offer
// set aside.
func (f *Fleet) startStopped(ctx context.Context, lease Lease, instances []Instance, n int) (started []string, _ error) {
	start := deed{"start instances", func(ctx context.Context, ids []string) error {
		_, err := f.ec2.StartInstances(ctx, &ec2.StartInstancesInput{InstanceIds: ids})
		return err
	}}
	for _, group := range f.stopped(instances) {
		if len(started) == n {
			break
		}
		some, errs := f.perform(ctx, lease, start, group.ids[:min(len(group.ids), n-len(started))])
		if len(some) > 0 {
			f.note(StatePending, some)
			f.log.InfoContext(ctx, "instances started", "instance_ids", some, "type", group.Type, "zone", group.Zone)
			started = append(started, some...)
		}
		for _, err := range errs {
			switch {
			case isOneOf(err, ErrNotFound, ErrRefused): // such as one that is not quite stopped
				f.log.WarnContext(ctx, "instance not started", "err", err)
			case f.tryOther(ctx, group.offer, err):
				f.setAside(group.offer)
			default:
				return started, err
			}
		}
	}
	return started, nil
}

// stoppedGroup is what is stopped of one offer.
type stoppedGroup struct {
	offer
	ids []string
}

// stopped lists what can be started.
func (f *Fleet) stopped(instances []Instance) (groups []*stoppedGroup) {
	f.mu.Lock()
	defer f.mu.Unlock()
	byOffer := make(map[offer]*stoppedGroup)
	for _, i := range instances {
		if i.State != StateStopped || i.Version != f.cfg.version() {
			continue
		}
		o := f.offers.find(i.Type, i.Zone)
		if !f.offers.available(time.Now(), o) {
			continue
		}
		if byOffer[o] == nil {
			byOffer[o] = &stoppedGroup{offer: o}
			groups = append(groups, byOffer[o])
		}
		byOffer[o].ids = append(byOffer[o].ids, i.ID)
	}
	return groups
}

func (f *Fleet) note(to State, ids []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.memory.changed(time.Now(), to, ids...)
	if !(Instance{State: to}).Up() {
		f.boots.excuse(ids...)
	}
}
