package elb

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Entrance is a load balancer with one listener that sends to one target group. It is
// there from the first start, as a deployment would have made it, and from then on
// like one that was made by the API.
type Entrance struct {
	Name       string `json:"name"`        // of the load balancer and of the target group
	ID         string `json:"id"`          // both ARNs end with it; empty: the name
	Port       int    `json:"port"`        // of the listener: one of the balancers'
	TargetPort int    `json:"target_port"` // of instances
	CheckPath  string `json:"check_path"`
	// Delay is how long targets drain, in seconds of AWS; checks come every 5 of them.
	Delay int `json:"deregistration_delay"`
}

func (in Entrance) id() string { return cmp.Or(in.ID, in.Name) }

// check asks of an entrance what the API would.
func (in Entrance) check() (checkSettings, error) {
	check := checkSettings{Path: in.CheckPath, Port: trafficPort, Interval: 5, Timeout: 2, Rise: 2, Fall: 2}
	asked := createGroupRequest{Name: in.Name, Protocol: "HTTP", Port: in.TargetPort, VPCID: "any"}
	if err := asked.check(); err != nil {
		return check, err
	}
	delay := attribute{delayAttribute, strconv.Itoa(in.Delay)}
	if err := checkAttribute(delay, defaultAttributes()); err != nil {
		return check, err
	}
	return check, check.check()
}

// makeEntrances makes what is missing of the entrances. What is there stays as it has
// become, but for the listener's port, which may be another after a restart.
func (e *ELB) makeEntrances() error {
	for _, in := range e.config.Entrances {
		check, err := in.check()
		if err == nil && e.balancers[in.Port] == nil {
			err = fmt.Errorf("no balancer was handed over for port %d, but for %v", in.Port, e.ports())
		}
		if err != nil {
			return fmt.Errorf("making entrance %q: %w", in.Name, err)
		}
		e.makeEntrance(in, check)
	}
	if len(e.config.Entrances) == 0 {
		return nil
	}
	return e.save()
}

func (e *ELB) makeEntrance(in Entrance, check checkSettings) {
	group := e.arn("targetgroup/" + in.Name + "/" + in.id())
	if e.kept.TargetGroups[group] == nil {
		attributes := defaultAttributes()
		attributes[delayAttribute] = strconv.Itoa(in.Delay)
		e.kept.TargetGroups[group] = &targetGroup{
			ARN: group, Name: in.Name, Port: in.TargetPort, VPCID: e.config.VPC, Check: check,
			Attributes: attributes, Tags: make(map[string]string), Targets: make(map[string]*target),
		}
	}
	balancer := e.arn("loadbalancer/app/" + in.Name + "/" + in.id())
	if e.kept.LoadBalancers[balancer] == nil {
		e.kept.LoadBalancers[balancer] = &loadBalancer{
			ARN: balancer, Name: in.Name, Suffix: in.id(), Scheme: "internet-facing", CreatedAt: time.Now().UTC(),
			Subnets: slices.Clone(e.config.Subnets), Tags: make(map[string]string),
		}
	}
	// The port is the entrance's: a listener that somebody once made there gives way.
	maps.DeleteFunc(e.kept.Listeners, func(_ string, l *listener) bool { return l.Port == in.Port && l.LoadBalancer != balancer })
	arn := e.arn(fmt.Sprintf("listener/app/%s/%s/%s", in.Name, in.id(), in.id()))
	if e.kept.Listeners[arn] == nil {
		e.kept.Listeners[arn] = &listener{ARN: arn, LoadBalancer: balancer, TargetGroup: group, Tags: make(map[string]string)}
	}
	e.kept.Listeners[arn].Port = in.Port
}
