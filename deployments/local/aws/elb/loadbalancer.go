package elb

import (
	"context"
	"maps"
	"slices"
	"time"
)

// loadBalancer is a name for the listeners below it.
type loadBalancer struct {
	ARN, Name, Suffix string
	Scheme            string
	CreatedAt         time.Time
	Subnets, Groups   []string
	Tags              map[string]string
}

type createLoadBalancerRequest struct {
	Name           string
	Type           string
	Scheme         string
	IPAddressType  string `wire:"IpAddressType"`
	Subnets        []string
	SecurityGroups []string
	Tags           []tag
}

type loadBalancersResponse struct {
	LoadBalancers []loadBalancerDescription
}

type loadBalancerDescription struct {
	ARN            string `wire:"LoadBalancerArn"`
	DNSName        string
	CreatedAt      time.Time `wire:"CreatedTime"`
	Name           string    `wire:"LoadBalancerName"`
	Scheme         string
	State          loadBalancerState
	Type           string
	Zones          []zoneDescription `wire:"AvailabilityZones"`
	SecurityGroups []string
	IPAddressType  string `wire:"IpAddressType"`
}

type loadBalancerState struct {
	Code string
}

type zoneDescription struct {
	SubnetID string `wire:"SubnetId"`
}

func describeLoadBalancer(l *loadBalancer) loadBalancerDescription {
	d := loadBalancerDescription{
		ARN: l.ARN, DNSName: "localhost", CreatedAt: l.CreatedAt, Name: l.Name, Scheme: l.Scheme,
		State: loadBalancerState{"active"}, Type: "application", SecurityGroups: l.Groups, IPAddressType: "ipv4",
	}
	for _, subnet := range l.Subnets {
		d.Zones = append(d.Zones, zoneDescription{subnet})
	}
	return d
}

func (e *ELB) createLoadBalancer(_ context.Context, in createLoadBalancerRequest) (loadBalancersResponse, error) {
	const fewestSubnets = 2
	switch {
	case !validName(in.Name):
		return loadBalancersResponse{}, fail(validationError, "Load balancer name '%s' must have at most 32 letters, digits and hyphens and not begin or end with a hyphen", in.Name)
	case in.Type != "" && in.Type != "application":
		return loadBalancersResponse{}, fail(invalidConfiguration, "The stand-in has application load balancers only")
	case in.IPAddressType != "" && in.IPAddressType != "ipv4":
		return loadBalancersResponse{}, fail(invalidConfiguration, "The stand-in speaks ipv4 only")
	case !slices.Contains([]string{"", "internal", "internet-facing"}, in.Scheme):
		return loadBalancersResponse{}, fail(validationError, "Scheme '%s' is not valid", in.Scheme)
	case len(in.Subnets) < fewestSubnets:
		return loadBalancersResponse{}, fail(validationError, "At least two subnets in two different Availability Zones must be specified")
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.kept.LoadBalancers {
		if l.Name != in.Name {
			continue
		}
		if !slices.Equal(l.Subnets, in.Subnets) || in.Scheme != "" && l.Scheme != in.Scheme {
			return loadBalancersResponse{}, fail(duplicateLoadBalancer, "A load balancer with the same name '%s' exists, but with different settings", in.Name)
		}
		return loadBalancersResponse{LoadBalancers: []loadBalancerDescription{describeLoadBalancer(l)}}, nil
	}
	l := &loadBalancer{
		Name: in.Name, Suffix: newSuffix(), Scheme: "internet-facing", CreatedAt: time.Now().UTC(),
		Subnets: in.Subnets, Groups: in.SecurityGroups, Tags: tagMap(in.Tags),
	}
	if in.Scheme != "" {
		l.Scheme = in.Scheme
	}
	l.ARN = e.arn("loadbalancer/app/" + l.Name + "/" + l.Suffix)
	e.kept.LoadBalancers[l.ARN] = l
	return loadBalancersResponse{LoadBalancers: []loadBalancerDescription{describeLoadBalancer(l)}}, e.save()
}

type describeLoadBalancersRequest struct {
	ARNs  []string `wire:"LoadBalancerArns"`
	Names []string
	pageRequest
}

type describeLoadBalancersResponse struct {
	LoadBalancers []loadBalancerDescription
	NextMarker    string
}

func (e *ELB) describeLoadBalancers(_ context.Context, in describeLoadBalancersRequest) (describeLoadBalancersResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := []loadBalancerDescription{}
	for _, l := range e.kept.LoadBalancers {
		if (len(in.ARNs) == 0 || slices.Contains(in.ARNs, l.ARN)) && (len(in.Names) == 0 || slices.Contains(in.Names, l.Name)) {
			all = append(all, describeLoadBalancer(l))
		}
	}
	if len(all) < max(len(in.ARNs), len(in.Names)) {
		return describeLoadBalancersResponse{}, fail(loadBalancerNotFound, "One or more load balancers not found")
	}
	page, next, err := paged(all, in.pageRequest, func(d loadBalancerDescription) string { return d.Name })
	return describeLoadBalancersResponse{page, next}, err
}

type loadBalancerRequest struct {
	ARN string `wire:"LoadBalancerArn"`
}

// deleteLoadBalancer takes its listeners with it, as on AWS; what is not there need
// not be deleted.
func (e *ELB) deleteLoadBalancer(_ context.Context, in loadBalancerRequest) (nothing, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.kept.LoadBalancers, in.ARN)
	maps.DeleteFunc(e.kept.Listeners, func(_ string, l *listener) bool { return l.LoadBalancer == in.ARN })
	return nothing{}, e.save()
}

// loadBalancersOf are those with a listener that sends to the group. It is called
// with mu held.
func (e *ELB) loadBalancersOf(group string) []string {
	arns := []string{}
	for _, l := range e.kept.Listeners {
		if l.TargetGroup == group && !slices.Contains(arns, l.LoadBalancer) {
			arns = append(arns, l.LoadBalancer)
		}
	}
	slices.Sort(arns)
	return arns
}
