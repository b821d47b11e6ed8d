package ec2

import (
	"context"
	"regexp"
	"slices"
	"time"
)

type instancesRequest struct {
	InstanceIDs []string `wire:"InstanceId"`
	DryRun      bool
}

type stopRequest struct {
	instancesRequest
	Force     bool // it is killed at its limit anyway
	Hibernate bool
}

type changesResponse struct {
	Instances []stateChange `wire:"instancesSet"`
}

type stateChange struct {
	InstanceID string           `wire:"instanceId"`
	Current    stateDescription `wire:"currentState"`
	Previous   stateDescription `wire:"previousState"`
}

type stateDescription struct {
	Code int    `wire:"code"`
	Name string `wire:"name"`
}

func (s state) describe() stateDescription { return stateDescription{s.number(), string(s)} }

// idPattern is an identifier of either length that AWS has used.
func idPattern(kind string) *regexp.Regexp {
	return regexp.MustCompile("^" + kind + "-([0-9a-f]{8}|[0-9a-f]{17})$")
}

// instance finds one by its id; it is called with mu held.
func (e *EC2) instance(id string) (*instance, error) {
	if !idPattern("i").MatchString(id) {
		return nil, fail(invalidInstanceMalformed, "Invalid id: %q", id)
	}
	i := e.kept.Instances[id]
	if i == nil || !i.seen(time.Now()) {
		return nil, fail(invalidInstanceNotFound, "The instance ID '%s' does not exist", id)
	}
	return i, nil
}

// instances finds all of the named ones, or fails for the first that is none.
func (e *EC2) instances(ids []string) ([]*instance, error) {
	if len(ids) == 0 {
		return nil, fail(missingParameter, "The request must contain the parameter InstanceId")
	}
	var found []*instance
	for _, id := range ids {
		i, err := e.instance(id)
		if err != nil {
			return nil, err
		}
		if !slices.Contains(found, i) {
			found = append(found, i)
		}
	}
	return found, nil
}

func (e *EC2) terminateInstances(_ context.Context, in instancesRequest) (changesResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.instances(in.InstanceIDs)
	if err != nil {
		return changesResponse{}, err
	}
	for _, i := range found {
		if i.Protected && !i.isOneOf(terminated, shuttingDown) {
			return changesResponse{}, fail(operationNotPermitted,
				"The instance '%s' may not be terminated. Modify its 'disableApiTermination' instance attribute and try again.", i.ID)
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return changesResponse{}, err
	}
	return e.change(found, func(i *instance) {
		why := byUser()
		switch {
		case i.isOneOf(terminated, shuttingDown):
		case i.State == stopped:
			i.become(terminated, &why)
		default:
			i.become(shuttingDown, &why)
		}
	})
}

func (e *EC2) stopInstances(_ context.Context, in stopRequest) (changesResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in.Hibernate {
		return changesResponse{}, fail(unsupported, "The stand-in's instances cannot hibernate.")
	}
	found, err := e.instances(in.InstanceIDs)
	if err != nil {
		return changesResponse{}, err
	}
	for _, i := range found {
		if !i.isOneOf(running, stopping, stopped) {
			return changesResponse{}, fail(incorrectInstanceState, "The instance '%s' is not in a state from which it can be stopped.", i.ID)
		}
		if i.Launch.spot() {
			return changesResponse{}, fail(unsupported, "You can't stop the Spot Instance '%s' because it is associated with a one-time Spot Instance request.", i.ID)
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return changesResponse{}, err
	}
	return e.change(found, func(i *instance) {
		if i.State == running {
			why := byUser()
			i.become(stopping, &why)
		}
	})
}

func (e *EC2) startInstances(_ context.Context, in instancesRequest) (changesResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	found, err := e.instances(in.InstanceIDs)
	if err != nil {
		return changesResponse{}, err
	}
	for _, i := range found {
		if !i.isOneOf(stopped, pending, running) {
			return changesResponse{}, fail(incorrectInstanceState, "The instance '%s' is not in a state from which it can be started.", i.ID)
		}
		left, bounded := e.troubles.Capacity(i.Zone, i.Launch.InstanceType)
		if i.State == stopped && bounded && left < 1 {
			return changesResponse{}, fail(insufficientCapacity, "Insufficient capacity.")
		}
	}
	if err := dryRun(in.DryRun); err != nil {
		return changesResponse{}, err
	}
	return e.change(found, func(i *instance) {
		if i.State != stopped {
			return
		}
		e.troubles.Took(i.Zone, i.Launch.InstanceType, 1)
		i.LaunchedAt, i.Trouble = time.Now().UTC().Truncate(time.Second), e.troubles.Boot()
		i.become(pending, nil)
	})
}

// change applies one to all, keeps it, and lets the instances follow.
func (e *EC2) change(found []*instance, to func(*instance)) (changesResponse, error) {
	out := changesResponse{}
	var moved []string
	for _, i := range found {
		before := i.State
		to(i)
		out.Instances = append(out.Instances, stateChange{i.ID, i.State.describe(), before.describe()})
		if i.State != before {
			moved = append(moved, i.ID)
		}
	}
	if len(moved) == 0 {
		return out, nil
	}
	if err := e.save(); err != nil {
		return changesResponse{}, err
	}
	for _, id := range moved {
		e.drive(id)
	}
	return out, nil
}
