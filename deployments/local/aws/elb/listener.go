package elb

import (
	"context"
	"fmt"
	"slices"
)

// listener sends all requests to one port on to one target group.
type listener struct {
	ARN          string
	LoadBalancer string
	Port         int
	TargetGroup  string
	Tags         map[string]string
}

type action struct {
	Type           string
	TargetGroupARN string         `wire:"TargetGroupArn"`
	Order          int            `wire:"Order"`
	Forward        *forwardAction `wire:"ForwardConfig"`
}

type forwardAction struct {
	TargetGroups []weightedGroup
}

type weightedGroup struct {
	TargetGroupARN string `wire:"TargetGroupArn"`
	Weight         int
}

// group is the one that the action forwards to, by either of its two ways to say it.
func (a action) group() string {
	if a.TargetGroupARN == "" && a.Forward != nil && len(a.Forward.TargetGroups) == 1 {
		return a.Forward.TargetGroups[0].TargetGroupARN
	}
	return a.TargetGroupARN
}

type createListenerRequest struct {
	LoadBalancerARN string `wire:"LoadBalancerArn"`
	Protocol        string
	Port            int
	DefaultActions  []action
	Tags            []tag
}

type listenersResponse struct {
	Listeners []listenerDescription
}

type listenerDescription struct {
	ARN             string `wire:"ListenerArn"`
	LoadBalancerARN string `wire:"LoadBalancerArn"`
	Port            int
	Protocol        string
	DefaultActions  []actionDescription
}

type actionDescription struct {
	Type           string
	TargetGroupARN string `wire:"TargetGroupArn"`
	Order          int
}

func describeListener(l *listener) listenerDescription {
	return listenerDescription{l.ARN, l.LoadBalancer, l.Port, "HTTP", []actionDescription{{"forward", l.TargetGroup, 1}}}
}

func (e *ELB) createListener(_ context.Context, in createListenerRequest) (listenersResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	balancer := e.kept.LoadBalancers[in.LoadBalancerARN]
	if balancer == nil {
		return listenersResponse{}, fail(loadBalancerNotFound, "One or more load balancers not found")
	}
	if in.Protocol != "HTTP" {
		return listenersResponse{}, fail(invalidConfiguration, "The stand-in's listeners speak HTTP, not '%s'", in.Protocol)
	}
	if len(in.DefaultActions) != 1 || in.DefaultActions[0].Type != "forward" {
		return listenersResponse{}, fail(invalidConfiguration, "The stand-in's listeners have one default action, which forwards to one target group")
	}
	group, err := e.group(in.DefaultActions[0].group())
	if err != nil {
		return listenersResponse{}, err
	}
	if err := e.checkListener(in, group); err != nil {
		return listenersResponse{}, err
	}
	if len(in.Tags) > mostTags {
		return listenersResponse{}, fail(tooManyTags, "The maximum number of tags is %d", mostTags)
	}
	l := &listener{
		ARN:          e.arn(fmt.Sprintf("listener/app/%s/%s/%s", balancer.Name, balancer.Suffix, newSuffix())),
		LoadBalancer: balancer.ARN, Port: in.Port, TargetGroup: group.ARN, Tags: tagMap(in.Tags),
	}
	e.kept.Listeners[l.ARN] = l
	return listenersResponse{Listeners: []listenerDescription{describeListener(l)}}, e.save()
}

// checkListener: each port here has one real balancer, which knows one group, and each
// group one balancer, whose word on health is the only one.
func (e *ELB) checkListener(in createListenerRequest, group *targetGroup) error {
	for _, l := range e.kept.Listeners {
		switch {
		case l.Port == in.Port && l.LoadBalancer == in.LoadBalancerARN:
			return fail(duplicateListener, "A listener already exists on this port for this load balancer '%s'", in.LoadBalancerARN)
		case l.Port == in.Port:
			return fail(invalidConfiguration, "Port %d belongs to another load balancer of the stand-in", in.Port)
		case l.TargetGroup == group.ARN && l.LoadBalancer != in.LoadBalancerARN:
			return fail(targetGroupInUse, "The following target groups cannot be associated with more than one load balancer: %s", group.ARN)
		case l.TargetGroup == group.ARN:
			return fail(invalidConfiguration, "The stand-in's target groups have one listener each; '%s' has one at port %d", group.ARN, l.Port)
		}
	}
	if e.balancers[in.Port] == nil {
		return fail(invalidConfiguration, "The stand-in was handed balancers for the ports %v, not %d", e.ports(), in.Port)
	}
	return nil
}

type describeListenersRequest struct {
	LoadBalancerARN string   `wire:"LoadBalancerArn"`
	ARNs            []string `wire:"ListenerArns"`
	pageRequest
}

type describeListenersResponse struct {
	Listeners  []listenerDescription
	NextMarker string
}

func (e *ELB) describeListeners(_ context.Context, in describeListenersRequest) (describeListenersResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in.LoadBalancerARN != "" && e.kept.LoadBalancers[in.LoadBalancerARN] == nil {
		return describeListenersResponse{}, fail(loadBalancerNotFound, "One or more load balancers not found")
	}
	for _, arn := range in.ARNs {
		if e.kept.Listeners[arn] == nil {
			return describeListenersResponse{}, fail(listenerNotFound, "One or more listeners not found")
		}
	}
	all := []listenerDescription{}
	for _, l := range e.kept.Listeners {
		if (in.LoadBalancerARN == "" || l.LoadBalancer == in.LoadBalancerARN) && (len(in.ARNs) == 0 || slices.Contains(in.ARNs, l.ARN)) {
			all = append(all, describeListener(l))
		}
	}
	page, next, err := paged(all, in.pageRequest, func(d listenerDescription) string { return d.ARN })
	return describeListenersResponse{page, next}, err
}

type listenerRequest struct {
	ARN string `wire:"ListenerArn"`
}

func (e *ELB) deleteListener(_ context.Context, in listenerRequest) (nothing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.kept.Listeners[in.ARN] == nil {
		return nothing{}, fail(listenerNotFound, "One or more listeners not found")
	}
	delete(e.kept.Listeners, in.ARN)
	return nothing{}, e.save()
}
