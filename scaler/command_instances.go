package scaler

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"maskfleet/pkg/fleet"
	"maskfleet/pkg/jobqueue/command"
)

const (
	usualInstances = 200
	mostInstances  = 500 // that an answer has room for
)

func (l *leader) instanceCommands() []command.Command {
	example := instanceAnswer{
		Instance: fleet.Instance{
			ID: "i-0b1c", Type: "c7i.large", Zone: "eu-central-1a", Address: "10.0.1.12", State: fleet.StateRunning, Shown: true,
			LaunchedAt: exampleMoment(), Health: fleet.HealthReady, Target: fleet.Target{State: fleet.TargetHealthy}, Image: "ami-0a5c",
		},
		Role: ready, Workers: []string{"i-0b1c"},
	}
	return []command.Command{
		command.Read("instances", "Lists the instances of the fleet, by their ids.", instancesRequest{Role: ready, Limit: usualInstances},
			instancesAnswer{At: exampleMoment(), Total: 1, Instances: []instanceAnswer{example}}, l.listInstances),
	}
}

type instancesRequest struct {
	ID    string `json:"id,omitempty"`    // that one alone
	Role  role   `json:"role,omitempty"`  // empty: any
	After string `json:"after,omitempty"` // the last of the page before this one
	Limit int    `json:"limit,omitempty"`
}

type instancesAnswer struct {
	At        time.Time        `json:"at"` // when EC2 was asked; zero: it has not answered yet
	Total     int              `json:"total"`
	Instances []instanceAnswer `json:"instances"`
	UserData  string           `json:"user_data,omitempty"` // what a new instance is told
}

type instanceAnswer struct {
	fleet.Instance
	Role       role              `json:"role"`
	Why        string            `json:"why,omitempty"` // it is to be replaced
	Workers    []string          `json:"workers,omitempty"`
	Retirement *retirementAnswer `json:"retirement,omitempty"`
}

type retirementAnswer struct {
	BegunAt time.Time `json:"begun_at"`
	By      string    `json:"by,omitempty"` // empty: the policy
	Reason  string    `json:"reason"`
	Final   bool      `json:"final"` // it is not recalled
}

func (l *leader) listInstances(_ context.Context, q instancesRequest) (instancesAnswer, error) {
	limit := cmp.Or(q.Limit, usualInstances)
	if limit < 1 || limit > mostInstances {
		return instancesAnswer{}, command.InvalidField("limit", fmt.Sprintf("is not from 1 to %d", mostInstances))
	}
	l.mu.Lock()
	seen := l.seen
	l.mu.Unlock()
	answer := instancesAnswer{At: seen.at, Instances: []instanceAnswer{}, UserData: l.cfg.Fleet.UserData}
	members := slices.SortedFunc(slices.Values(seen.members), func(a, b member) int { return strings.Compare(a.ID, b.ID) })
	for _, m := range members {
		if q.ID != "" && q.ID != m.ID || q.Role != "" && q.Role != m.role {
			continue
		}
		answer.Total++
		if m.ID > q.After && len(answer.Instances) < limit {
			answer.Instances = append(answer.Instances, answerOf(m))
		}
	}
	return answer, nil
}

func answerOf(m member) instanceAnswer {
	a := instanceAnswer{Instance: m.Instance, Role: m.role, Why: m.why}
	for _, w := range m.workers {
		a.Workers = append(a.Workers, w.ID)
	}
	if r := m.retirement; r != nil {
		a.Retirement = &retirementAnswer{BegunAt: r.BegunAt, By: r.AskedBy, Reason: r.Reason, Final: r.Final}
	}
	return a
}
