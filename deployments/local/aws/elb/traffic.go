package elb

import (
	"context"
	"strings"

	"maskfleet/deployments/local/aws/balancer"
)

// Traffic is what a target group had since it was asked for last.
type Traffic struct {
	LoadBalancer, TargetGroup string // as CloudWatch names them: the ends of their ARNs
	Requests                  int
	Healthy, Unhealthy        int
}

// Traffic asks the balancers of all groups that get requests. One that does not answer
// is left out.
func (e *ELB) Traffic(ctx context.Context) []Traffic {
	e.mu.Lock()
	groups := make(map[string]string) // load balancers by group
	for _, l := range e.kept.Listeners {
		groups[l.TargetGroup] = l.LoadBalancer
	}
	e.mu.Unlock()
	var all []Traffic
	for group, loadBalancer := range groups {
		servers := e.servers(ctx, group)
		if servers == nil {
			continue
		}
		t := Traffic{LoadBalancer: suffix(loadBalancer, "loadbalancer/"), TargetGroup: suffix(group, "")}
		e.mu.Lock()
		t.Requests = e.count(group, servers)
		if g := e.kept.TargetGroups[group]; g != nil {
			t.Healthy, t.Unhealthy = e.countHealth(g, servers)
		}
		e.mu.Unlock()
		all = append(all, t)
	}
	return all
}

// suffix is an ARN without what is the same for all, and without its kind.
func suffix(arn, kind string) string {
	const parts = 6
	resource := strings.SplitN(arn, ":", parts)[parts-1]
	return strings.TrimPrefix(resource, kind)
}

// count is how many requests came since the last look; the first look only remembers.
// A balancer that started again counts from nothing.
func (e *ELB) count(group string, servers map[string]balancer.Server) int {
	_, looked := e.counted[group]
	fresh := 0
	now := make(map[string]int)
	for name, s := range servers {
		before := e.counted[group][name]
		if s.Total < before {
			before = 0
		}
		fresh += s.Total - before
		now[name] = s.Total
	}
	e.counted[group] = now
	if !looked {
		return 0
	}
	return fresh
}

func (e *ELB) countHealth(g *targetGroup, servers map[string]balancer.Server) (healthy, unhealthy int) {
	for _, t := range g.Targets {
		h, err := e.health(g, targetDescription{ID: t.Instance, Port: t.Port}, servers)
		switch {
		case err != nil:
		case h.State == "healthy":
			healthy++
		case h.State == "unhealthy":
			unhealthy++
		}
	}
	return healthy, unhealthy
}
