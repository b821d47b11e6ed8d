package elb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"maskfleet/deployments/local/aws/balancer"
	"maskfleet/deployments/local/aws/keep"
	"maskfleet/deployments/local/aws/wire"
)

// Config says how the stand-in's load balancing behaves.
type Config struct {
	Dir       string // what it keeps
	Region    string
	AccountID string
	VPC       string            // all that there is
	Subnets   []string          // of it, one in each zone
	Balancers []balancer.Config // a listener can be made on each one's port
	Entrances []Entrance
	// Speed is how many times faster than asked checks and deregistration go, since
	// AWS knows no check more often than every five seconds.
	Speed float64
}

// instances tells of those that can be targets.
type instances interface {
	Instance(id string) (state string, address netip.Addr, zone string, known bool)
}

// ELB is the service. It may be used by many at once.
type ELB struct {
	config    Config
	instances instances
	log       *slog.Logger
	balancers map[int]*balancer.Balancer // by port
	awake     chan struct{}              // asks for a look before the next tick
	troubles  map[int]string             // why balancers were behind at the last look, by port; follow's own

	mu      sync.Mutex // guards the rest
	kept    kept
	counted map[string]map[string]int // requests by group and server, at the last look
}

// kept is what a restart must not forget. All are found by their ARN.
type kept struct {
	LoadBalancers map[string]*loadBalancer
	Listeners     map[string]*listener
	TargetGroups  map[string]*targetGroup
}

// Open reads what was kept; it does not need the balancers to run.
func Open(config Config, instances instances, log *slog.Logger) (*ELB, error) {
	e := &ELB{
		config: config, instances: instances, log: log,
		balancers: make(map[int]*balancer.Balancer), awake: make(chan struct{}, 1),
		counted: make(map[string]map[string]int), troubles: make(map[int]string),
		kept: kept{
			LoadBalancers: make(map[string]*loadBalancer), Listeners: make(map[string]*listener),
			TargetGroups: make(map[string]*targetGroup),
		},
	}
	for _, b := range config.Balancers {
		e.balancers[b.Port] = balancer.New(b)
	}
	if err := keep.Load(e.path(), &e.kept); err != nil {
		return nil, err
	}
	return e, e.makeEntrances()
}

func (e *ELB) path() string { return filepath.Join(e.config.Dir, "elb.json") }

// save is called with mu held, after every change and before it is answered.
func (e *ELB) save() error {
	select {
	case e.awake <- struct{}{}:
	default: // a look is due already
	}
	return keep.Save(e.path(), e.kept)
}

// Service is what can be asked of Elastic Load Balancing.
func (e *ELB) Service() wire.Service {
	return wire.Service{
		Name: "elasticloadbalancing", Model: "elbv2", Version: "2015-12-01",
		Namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/", Dialect: wire.Query,
		Operations: []wire.Operation{
			wire.Changing("CreateLoadBalancer", e.createLoadBalancer),
			wire.Reading("DescribeLoadBalancers", e.describeLoadBalancers),
			wire.Changing("DeleteLoadBalancer", e.deleteLoadBalancer),
			wire.Changing("CreateListener", e.createListener),
			wire.Reading("DescribeListeners", e.describeListeners),
			wire.Changing("DeleteListener", e.deleteListener),
			wire.Changing("CreateTargetGroup", e.createTargetGroup),
			wire.Reading("DescribeTargetGroups", e.describeTargetGroups),
			wire.Changing("ModifyTargetGroup", e.modifyTargetGroup),
			wire.Reading("DescribeTargetGroupAttributes", e.describeAttributes),
			wire.Changing("ModifyTargetGroupAttributes", e.modifyAttributes),
			wire.Changing("DeleteTargetGroup", e.deleteTargetGroup),
			wire.Changing("RegisterTargets", e.registerTargets),
			wire.Changing("DeregisterTargets", e.deregisterTargets),
			wire.Reading("DescribeTargetHealth", e.describeTargetHealth),
			wire.Changing("AddTags", e.addTags),
			wire.Changing("RemoveTags", e.removeTags),
			wire.Reading("DescribeTags", e.describeTags),
		},
	}
}

func (e *ELB) arn(resource string) string {
	return "arn:aws:elasticloadbalancing:" + e.config.Region + ":" + e.config.AccountID + ":" + resource
}

// newSuffix ends an ARN.
func newSuffix() string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// faster is how long something takes here that takes so long on AWS.
func (e *ELB) faster(d time.Duration) time.Duration {
	return time.Duration(float64(d) / e.config.Speed)
}

// ports are those that a listener can have.
func (e *ELB) ports() []int {
	var ports []int
	for port := range e.balancers {
		ports = append(ports, port)
	}
	slices.Sort(ports)
	return ports
}

// Run brings the balancers up to date until ctx ends. What they balance then goes on.
func (e *ELB) Run(ctx context.Context) error {
	const period = 250 * time.Millisecond
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		e.follow(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-e.awake:
		}
	}
}
