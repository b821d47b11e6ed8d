package elb

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"maskfleet/deployments/local/aws/balancer"
)

// target is an instance and a port of it, registered with a group.
type target struct {
	Instance     string
	Port         int
	CheckedSince time.Time // zero: the balancer does not know it yet
	HealthyOnce  bool      // since then
	DrainedAt    time.Time // until when it is draining; zero: it is not
	Stale        bool      // its server must be made anew
}

func (t *target) name() string { return fmt.Sprintf("%s-%d", t.Instance, t.Port) }

func (t *target) draining() bool { return !t.DrainedAt.IsZero() }

// targetDescription names a target; without a port it is the group's.
type targetDescription struct {
	ID   string `wire:"Id"`
	Port int
	Zone string `wire:"AvailabilityZone"`
}

func (d targetDescription) of(g *targetGroup) *target {
	return &target{Instance: d.ID, Port: cmp.Or(d.Port, g.Port)}
}

type targetsRequest struct {
	ARN     string `wire:"TargetGroupArn"`
	Targets []targetDescription
}

func (e *ELB) registerTargets(_ context.Context, in targetsRequest) (nothing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.ARN)
	if err != nil {
		return nothing{}, err
	}
	if len(in.Targets) == 0 {
		return nothing{}, fail(validationError, "At least one target must be specified")
	}
	var not []string
	for _, d := range in.Targets {
		state, _, _, known := e.instances.Instance(d.ID)
		switch {
		case !known:
			return nothing{}, fail(invalidTarget, "Instance ID '%s' is not valid", d.ID)
		case state != "running":
			not = append(not, "'"+d.ID+"'")
		}
	}
	if len(not) > 0 {
		return nothing{}, fail(invalidTarget, "The following targets are not in a running state and cannot be registered: %s", strings.Join(not, ", "))
	}
	for _, d := range in.Targets {
		t := d.of(g)
		if before := g.Targets[t.name()]; before != nil {
			before.DrainedAt = time.Time{} // who comes back while it drains stays
			continue
		}
		g.Targets[t.name()] = t
	}
	return nothing{}, e.save()
}

// deregisterTargets: a target that was to get requests drains first; what is not
// registered need not be deregistered.
func (e *ELB) deregisterTargets(_ context.Context, in targetsRequest) (nothing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.ARN)
	if err != nil {
		return nothing{}, err
	}
	for _, d := range in.Targets {
		for name, t := range g.Targets {
			if t.Instance != d.ID || d.Port != 0 && t.Port != d.Port || t.draining() {
				continue
			}
			state, _, _, _ := e.instances.Instance(t.Instance)
			if state != "running" || len(e.loadBalancersOf(g.ARN)) == 0 {
				delete(g.Targets, name)
				continue
			}
			t.DrainedAt = time.Now().UTC().Add(e.faster(g.delay()))
		}
	}
	return nothing{}, e.save()
}

type healthRequest struct {
	ARN     string `wire:"TargetGroupArn"`
	Targets []targetDescription
}

type healthResponse struct {
	Targets []healthDescription `wire:"TargetHealthDescriptions"`
}

type healthDescription struct {
	Target    targetDescription
	CheckPort string `wire:"HealthCheckPort"`
	Health    health `wire:"TargetHealth"`
}

type health struct {
	State       string
	Reason      string
	Description string
}

// describeTargetHealth asks the balancer now.
func (e *ELB) describeTargetHealth(ctx context.Context, in healthRequest) (healthResponse, error) {
	servers := e.servers(ctx, in.ARN)
	e.mu.Lock()
	defer e.mu.Unlock()
	g, err := e.group(in.ARN)
	if err != nil {
		return healthResponse{}, err
	}
	wanted := in.Targets
	if len(wanted) == 0 {
		for _, t := range g.Targets {
			wanted = append(wanted, targetDescription{ID: t.Instance, Port: t.Port})
		}
		slices.SortFunc(wanted, func(a, b targetDescription) int { return cmp.Or(cmp.Compare(a.ID, b.ID), a.Port-b.Port) })
	}
	out := healthResponse{Targets: []healthDescription{}}
	for _, d := range wanted {
		d.Port = cmp.Or(d.Port, g.Port)
		checked := g.Check.Port
		if checked == trafficPort {
			checked = fmt.Sprint(d.Port)
		}
		h, err := e.health(g, d, servers)
		if err != nil {
			return healthResponse{}, err
		}
		out.Targets = append(out.Targets, healthDescription{d, checked, h})
	}
	return out, nil
}

// servers are what the group's balancer has; nil where there is none, or it does not
// answer.
func (e *ELB) servers(ctx context.Context, arn string) map[string]balancer.Server {
	e.mu.Lock()
	b := e.balancerOf(arn)
	e.mu.Unlock()
	if b == nil {
		return nil
	}
	listed, err := b.Servers(ctx)
	if err != nil {
		e.log.WarnContext(ctx, "balancer not asked", "err", err)
		return nil
	}
	servers := make(map[string]balancer.Server)
	for _, s := range listed {
		servers[s.Name] = s
	}
	return servers
}

// balancerOf is called with mu held.
func (e *ELB) balancerOf(group string) *balancer.Balancer {
	for _, l := range e.kept.Listeners {
		if l.TargetGroup == group {
			return e.balancers[l.Port]
		}
	}
	return nil
}

// health says of a target what AWS would, in AWS's words. It is called with mu held.
func (e *ELB) health(g *targetGroup, d targetDescription, servers map[string]balancer.Server) (health, error) {
	state, _, _, known := e.instances.Instance(d.ID)
	t := g.Targets[d.of(g).name()]
	switch {
	case t == nil && !known:
		return health{}, fail(invalidTarget, "Instance ID '%s' is not valid", d.ID)
	case t == nil:
		return health{"unused", "Target.NotRegistered", "Target is not registered to the target group"}, nil
	case state != "running":
		return health{"unused", "Target.InvalidState", "Target is in the " + cmp.Or(state, "terminated") + " state"}, nil
	case e.balancerOf(g.ARN) == nil:
		return health{"unused", "Target.NotInUse", "Target group is not configured to receive traffic from the load balancer"}, nil
	case t.draining():
		return health{"draining", "Target.DeregistrationInProgress", "Target deregistration is in progress"}, nil
	case servers == nil:
		return health{"unhealthy", "Elb.InternalError", "Health checks failed due to an internal error"}, nil
	}
	server, there := servers[t.name()]
	if !there || t.Stale || server.Status == balancer.Maint {
		return health{"initial", "Elb.RegistrationInProgress", "Target registration is in progress"}, nil
	}
	return e.checked(g, t, server), nil
}

// checked reads the balancer's own checks. A target that has never been well is
// initial until it could have failed often enough.
func (e *ELB) checked(g *targetGroup, t *target, server balancer.Server) health {
	failing := e.faster(time.Duration(g.Check.Fall*g.Check.Interval) * time.Second)
	switch {
	case server.Status == balancer.Up, server.Status == balancer.Drain:
		return health{State: "healthy"}
	case !t.HealthyOnce && time.Since(t.CheckedSince) < failing, server.Result == "INI", server.Result == "":
		return health{"initial", "Elb.InitialHealthChecking", "Initial health checks in progress"}
	}
	switch server.Result {
	case "L7STS", "L7OK", "L7OKC": // answered, now or just before it was well
		return health{"unhealthy", "Target.ResponseCodeMismatch", fmt.Sprintf("Health checks failed with these codes: [%d]", server.Code)}
	case "L4TOUT", "L6TOUT", "L7TOUT":
		return health{"unhealthy", "Target.Timeout", "Request timed out"}
	default:
		return health{"unhealthy", "Target.FailedHealthChecks", "Health checks failed"}
	}
}
