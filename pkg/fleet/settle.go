package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"maskfleet/pkg/jobstore"
)

const (
	// keepLaunches is how long launches are kept for a person to look up.
	keepLaunches = 30 * 24 * time.Hour
	purgeEvery   = time.Hour
)

// Settle finds out what came of launches whose answer nobody wrote down: those of a
// leader that died, and our own that got none. A young one is asked for again in the
// same words, which gives the same instances and never others; EC2 does not say for
// how long it knows a token, so of an old one the list has the last word, which by
// then shows all of it. After an error nothing may be launched: where EC2 refuses to
// repeat a launch, until that one is old.
func (f *Fleet) Settle(ctx context.Context, lease Lease) error {
	f.acting.Lock()
	defer f.acting.Unlock()
	_, err := f.settle(ctx, lease)
	return err
}

// settle gives the instances it found that no list has shown yet.
func (f *Fleet) settle(ctx context.Context, lease Lease) (found []string, _ error) {
	launches, err := f.ledger.UnsettledLaunches(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range launches {
		if l.State != jobstore.LaunchOpen {
			continue
		}
		ids, err := f.settleOne(ctx, lease, l)
		found = append(found, f.unknown(ids)...)
		if err != nil {
			return found, fmt.Errorf("settling launch %s: %w", l.ClientToken, err)
		}
	}
	if time.Since(f.purged) < purgeEvery {
		return found, nil
	}
	f.purged = time.Now()
	return found, f.ledger.PurgeLaunches(ctx, keepLaunches)
}

// unknown leaves out what a list has shown.
func (f *Fleet) unknown(ids []string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(ids), f.memory.knows)
}

// settleOne gives the instances of a launch that have not ended.
func (f *Fleet) settleOne(ctx context.Context, lease Lease, l jobstore.LaunchIntent) ([]string, error) {
	if l.Age >= f.cfg.Settling {
		return f.lookUp(ctx, l)
	}
	var r request
	if err := json.Unmarshal(l.Request, &r); err != nil {
		return nil, fmt.Errorf("reading it: %w", err)
	}
	ids, err := f.runInstances(ctx, lease, r)
	switch {
	case errors.Is(err, errSpent):
		return f.lookUp(ctx, l)
	case err != nil && conclusiveAgain(err):
		f.log.WarnContext(ctx, "launch came to nothing", "client_token", l.ClientToken, "err", err)
		_, err = f.ledger.FailLaunch(ctx, l.ID, err.Error())
		return nil, err
	case err != nil:
		f.leftOpen(ctx, r, err)
		return nil, err
	}
	return ids, f.launched(ctx, l.ID, r, ids)
}

// lookUp finds the instances of a launch by their tag, ended ones too, and gives those
// that have not ended.
func (f *Fleet) lookUp(ctx context.Context, l jobstore.LaunchIntent) (there []string, _ error) {
	instances, err := f.describe(ctx, types.Filter{Name: aws.String("tag:" + tagIntent), Values: []string{l.ID.String()}})
	if err != nil {
		return nil, err
	}
	if len(instances) == 0 {
		f.log.InfoContext(ctx, "launch came to nothing", "client_token", l.ClientToken)
		_, err := f.ledger.FailLaunch(ctx, l.ID, "no instance was ever listed")
		return nil, err
	}
	var ids []string
	for _, i := range instances {
		ids = append(ids, i.ID)
		if !i.ended() {
			there = append(there, i.ID)
		}
	}
	f.log.InfoContext(ctx, "instances of an open launch found", "client_token", l.ClientToken, "instance_ids", ids)
	_, err = f.ledger.RecordLaunch(ctx, l.ID, ids)
	return there, err
}
