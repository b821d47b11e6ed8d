package ec2

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"maskfleet/deployments/local/aws/host"
	"maskfleet/deployments/local/aws/keep"
	"maskfleet/deployments/local/aws/wire"
)

// Config says how the stand-in's EC2 behaves.
type Config struct {
	Dir       string // what it keeps
	Region    string
	AccountID string
	Images    []Image
	KeyPairs  []string
	Roles     []host.Role // that an instance profile can give
	Timing    Timing
}

// Timing is how long things take.
type Timing struct {
	Pending   time.Duration // from the call until an instance runs
	Boot      time.Duration // from then until its programs start
	Shutdown  time.Duration // that programs have to end by themselves
	Forgotten time.Duration // until a terminated instance is no longer shown
}

// Image is one that instances can be launched from, and what it starts.
type Image struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Description string         `json:"description"`
	CreatedAt   time.Time      `json:"created_at"`
	Programs    []host.Program `json:"programs"`
}

// machines is the host, which may be away for a moment.
type machines interface {
	Network(ctx context.Context) (netip.Prefix, error)
	Machines(ctx context.Context) ([]host.Status, error)
	Boot(ctx context.Context, spec host.Spec) error
	ShutDown(ctx context.Context, id string, limit time.Duration) error
	Tell(ctx context.Context, metadata host.Metadata) error
}

// troubles are what was asked to go wrong.
type troubles interface {
	// Capacity is how many instances can still be had, where that is bounded.
	Capacity(zone, instanceType string) (left int, bounded bool)
	// Took says that some of them are gone.
	Took(zone, instanceType string, count int)
	// Boot is what goes wrong at the next boot.
	Boot() host.Trouble
	// Unseen is how long a new instance is not known.
	Unseen() time.Duration
	// Frozen says that lists are as old as the fault.
	Frozen() bool
	// Empty says that this list holds nothing.
	Empty() bool
}

// EC2 is the service. It may be used by many at once.
type EC2 struct {
	config   Config
	machines machines
	troubles troubles
	log      *slog.Logger
	network  netip.Prefix
	zones    []zone
	drives   sync.WaitGroup  // one for each change of state under way
	ctx      context.Context // of the drives
	stop     context.CancelFunc

	mu      sync.Mutex // guards the rest
	kept    kept
	powers  map[string]*sync.Mutex // held while a host is told to switch an instance on or off
	frozen  []instance             // what lists say while they are frozen
	watched map[string]host.Status // as the host told last
}

// kept is what a restart must not forget.
type kept struct {
	Instances   map[string]*instance
	Launches    map[string]launched // by client token
	Templates   map[string]*template
	LastAddress map[string]netip.Addr // by zone
}

// Open reads what was kept and asks the host for its network.
func Open(ctx context.Context, config Config, machines machines, troubles troubles, log *slog.Logger) (*EC2, error) {
	network, err := machines.Network(ctx)
	if err != nil {
		return nil, err
	}
	e := &EC2{
		config: config, machines: machines, troubles: troubles, log: log,
		network: network, zones: zonesOf(config.Region, network),
		kept: kept{
			Instances: make(map[string]*instance), Launches: make(map[string]launched),
			Templates: make(map[string]*template), LastAddress: make(map[string]netip.Addr),
		},
		powers: make(map[string]*sync.Mutex),
	}
	if err := keep.Load(e.path(), &e.kept); err != nil {
		return nil, err
	}
	if err := e.loseStranded(); err != nil {
		return nil, err
	}
	e.ctx, e.stop = context.WithCancel(context.Background())
	return e, nil
}

// loseStranded: a host that got another part of loopback cannot run the instances of
// before. They are lost with their hardware, as happens on EC2.
func (e *EC2) loseStranded() error {
	stranded := false
	for _, i := range e.kept.Instances {
		if i.holdsAddress() && !e.network.Contains(i.Address) {
			why := byHost()
			i.become(terminated, &why)
			stranded = true
			e.log.Warn("instance lost with its host's network", "instance_id", i.ID, "address", i.Address.String())
		}
	}
	if !stranded {
		return nil
	}
	return e.save()
}

func (e *EC2) path() string { return filepath.Join(e.config.Dir, "ec2.json") }

// save is called with mu held, after every change and before it is answered.
func (e *EC2) save() error { return keep.Save(e.path(), e.kept) }

// Run keeps instances and the host in step until ctx ends. Instances go on then.
func (e *EC2) Run(ctx context.Context) error {
	e.resume()
	defer e.drives.Wait()
	defer e.stop()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		if err := e.reconcile(ctx); err != nil && ctx.Err() == nil {
			e.log.WarnContext(ctx, "host not followed", "err", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Service is what can be asked of EC2.
func (e *EC2) Service() wire.Service {
	return wire.Service{
		Name: "ec2", Model: "ec2", Version: "2016-11-15", Namespace: "http://ec2.amazonaws.com/doc/2016-11-15/", Dialect: wire.EC2,
		Operations: slices.Concat(e.instanceOperations(), e.templateOperations(), e.worldOperations()),
	}
}

func (e *EC2) instanceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Changing("RunInstances", e.runInstances),
		wire.Changing("StartInstances", e.startInstances),
		wire.Changing("StopInstances", e.stopInstances),
		wire.Changing("TerminateInstances", e.terminateInstances),
		wire.Reading("DescribeInstances", e.describeInstances),
		wire.Reading("DescribeInstanceStatus", e.describeInstanceStatus),
		wire.Reading("DescribeInstanceAttribute", e.describeInstanceAttribute),
		wire.Changing("ModifyInstanceAttribute", e.modifyInstanceAttribute),
		wire.Changing("CreateTags", e.createTags),
		wire.Changing("DeleteTags", e.deleteTags),
		wire.Reading("DescribeTags", e.describeTags),
	}
}

func (e *EC2) templateOperations() []wire.Operation {
	return []wire.Operation{
		wire.Changing("CreateLaunchTemplate", e.createTemplate),
		wire.Changing("CreateLaunchTemplateVersion", e.createTemplateVersion),
		wire.Changing("ModifyLaunchTemplate", e.modifyTemplate),
		wire.Changing("DeleteLaunchTemplate", e.deleteTemplate),
		wire.Reading("DescribeLaunchTemplates", e.describeTemplates),
		wire.Reading("DescribeLaunchTemplateVersions", e.describeTemplateVersions),
	}
}

func (e *EC2) worldOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reading("DescribeAvailabilityZones", e.describeZones),
		wire.Reading("DescribeImages", e.describeImages),
		wire.Reading("DescribeInstanceTypes", e.describeTypes),
		wire.Reading("DescribeKeyPairs", e.describeKeyPairs),
		wire.Reading("DescribeSecurityGroups", e.describeGroups),
		wire.Reading("DescribeSubnets", e.describeSubnets),
		wire.Reading("DescribeVpcs", e.describeVPCs),
	}
}

// Instance tells other services what they need of one.
func (e *EC2) Instance(id string) (state string, address netip.Addr, zone string, known bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := e.kept.Instances[id]
	if i == nil {
		return "", netip.Addr{}, "", false
	}
	return string(i.State), i.Address, i.Zone, true
}

// Load is what an instance has used of CPU.
type Load struct {
	ID       string
	Used     time.Duration // since its boot
	At       time.Time     // when that was read
	Cores    float64       // that it may use; 0: all there are
	Detailed bool          // it is monitored every minute, not every five
}

// Loads are the instances' as the host told them last.
func (e *EC2) Loads() []Load {
	e.mu.Lock()
	defer e.mu.Unlock()
	var all []Load
	for id, status := range e.watched {
		i := e.kept.Instances[id]
		if i == nil || status.CPUAt.IsZero() {
			continue
		}
		m := i.Launch.Monitoring
		all = append(all, Load{id, status.CPU, status.CPUAt, status.Cores, m != nil && m.Enabled})
	}
	return all
}

var errNoImage = errors.New("the image is not configured any more")
