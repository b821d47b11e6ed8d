package ec2

import (
	"context"
	"time"

	"maskfleet/deployments/local/aws/host"
)

// bootGrace is how long after its boot delay a machine may be silent before its
// status check fails.
const bootGrace = 5 * time.Second

type statusRequest struct {
	InstanceIDs []string `wire:"InstanceId"`
	Filters     []filter `wire:"Filter"`
	MaxResults  int
	NextToken   string
	All         bool `wire:"IncludeAllInstances"`
	DryRun      bool
}

type statusResponse struct {
	Statuses  []statusDescription `wire:"instanceStatusSet"`
	NextToken string              `wire:"nextToken"`
}

type statusDescription struct {
	InstanceID string           `wire:"instanceId"`
	Zone       string           `wire:"availabilityZone"`
	Events     []event          `wire:"eventsSet"`
	State      stateDescription `wire:"instanceState"`
	System     check            `wire:"systemStatus"`
	Instance   check            `wire:"instanceStatus"`
}

// event is one that AWS has planned; there are none here.
type event struct {
	Code string `wire:"code"`
}

type check struct {
	Status  string        `wire:"status"`
	Details []checkDetail `wire:"details"`
}

type checkDetail struct {
	Name   string `wire:"name"`
	Status string `wire:"status"`
}

func (e *EC2) describeInstanceStatus(_ context.Context, in statusRequest) (statusResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.checkNamed(in.InstanceIDs, in.MaxResults); err != nil {
		return statusResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return statusResponse{}, err
	}
	listed, err := filtered(e.list(in.InstanceIDs), in.Filters, e.instanceFilters())
	if err != nil {
		return statusResponse{}, err
	}
	statuses := []statusDescription{}
	for _, i := range listed {
		if in.All || i.State == running {
			statuses = append(statuses, e.status(i))
		}
	}
	page, next, err := paged(statuses, in.MaxResults, in.NextToken)
	return statusResponse{Statuses: page, NextToken: next}, err
}

// status: the checks reach a machine whose system has come up, whatever its programs do.
func (e *EC2) status(i instance) statusDescription {
	d := statusDescription{InstanceID: i.ID, Zone: i.Zone, Events: []event{}, State: i.State.describe()}
	if i.State != running {
		d.System, d.Instance = check{"not-applicable", []checkDetail{}}, check{"not-applicable", []checkDetail{}}
		return d
	}
	d.System = check{"ok", []checkDetail{{"reachability", "passed"}}}
	on, known := e.watched[i.ID]
	switch {
	case known && !on.BootedAt.IsZero() && i.Trouble != host.Hangs:
		d.Instance = check{"ok", []checkDetail{{"reachability", "passed"}}}
	case time.Since(i.Since) > e.config.Timing.Boot+bootGrace:
		d.Instance = check{"impaired", []checkDetail{{"reachability", "failed"}}}
	default:
		d.Instance = check{"initializing", []checkDetail{{"reachability", "initializing"}}}
	}
	return d
}
