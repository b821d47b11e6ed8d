package ec2

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"
)

type groupDescription struct {
	ID   string `wire:"groupId"`
	Name string `wire:"groupName"`
}

// description is how an instance is shown.
type description struct {
	ID               string              `wire:"instanceId"`
	ImageID          string              `wire:"imageId"`
	State            stateDescription    `wire:"instanceState"`
	PrivateDNSName   string              `wire:"privateDnsName"`
	Transition       string              `wire:"reason"`
	KeyName          string              `wire:"keyName"`
	LaunchIndex      int                 `wire:"amiLaunchIndex"`
	Type             string              `wire:"instanceType"`
	LaunchedAt       time.Time           `wire:"launchTime"`
	Placement        placement           `wire:"placement"`
	Monitoring       monitoring          `wire:"monitoring"`
	SubnetID         string              `wire:"subnetId"`
	VPCID            string              `wire:"vpcId"`
	PrivateIPAddress string              `wire:"privateIpAddress"`
	Groups           []groupDescription  `wire:"groupSet"`
	Reason           *reason             `wire:"stateReason"`
	Architecture     string              `wire:"architecture"`
	RootDeviceType   string              `wire:"rootDeviceType"`
	RootDeviceName   string              `wire:"rootDeviceName"`
	BlockDevices     []blockDevice       `wire:"blockDeviceMapping"`
	Virtualization   string              `wire:"virtualizationType"`
	Lifecycle        string              `wire:"instanceLifecycle"`
	SpotRequestID    string              `wire:"spotInstanceRequestId"`
	ClientToken      string              `wire:"clientToken"`
	Tags             []tagDescription    `wire:"tagSet"`
	Hypervisor       string              `wire:"hypervisor"`
	Profile          *profileDescription `wire:"iamInstanceProfile"`
	EBSOptimized     bool                `wire:"ebsOptimized"`
	CPU              cpuOptions          `wire:"cpuOptions"`
	Metadata         metadataOptions     `wire:"metadataOptions"`
}

type placement struct {
	Zone    string `wire:"availabilityZone"`
	Tenancy string `wire:"tenancy"`
}

type monitoring struct {
	State string `wire:"state"`
}

type blockDevice struct {
	Name string `wire:"deviceName"`
	EBS  volume `wire:"ebs"`
}

type volume struct {
	ID                  string    `wire:"volumeId"`
	Status              string    `wire:"status"`
	AttachedAt          time.Time `wire:"attachTime"`
	DeleteOnTermination bool      `wire:"deleteOnTermination"`
}

type tagDescription struct {
	Key   string `wire:"key"`
	Value string `wire:"value"`
}

type profileDescription struct {
	ARN string `wire:"arn"`
	ID  string `wire:"id"`
}

type cpuOptions struct {
	Cores          int `wire:"coreCount"`
	ThreadsPerCore int `wire:"threadsPerCore"`
}

type metadataOptions struct {
	State                string `wire:"state"`
	HTTPTokens           string `wire:"httpTokens"`
	HopLimit             int    `wire:"httpPutResponseHopLimit"`
	HTTPEndpoint         string `wire:"httpEndpoint"`
	InstanceMetadataTags string `wire:"instanceMetadataTags"`
}

// describe says of an instance what EC2 would. A terminated one has lost its network.
func (e *EC2) describe(i instance) description {
	kind, _ := findType(i.Launch.InstanceType)
	d := description{
		ID: i.ID, ImageID: i.Launch.ImageID, State: i.State.describe(), Transition: i.Transition,
		KeyName: i.Launch.KeyName, LaunchIndex: i.LaunchIndex, Type: i.Launch.InstanceType, LaunchedAt: i.LaunchedAt,
		Placement: placement{i.Zone, "default"}, Monitoring: monitoring{"disabled"}, Reason: i.Reason,
		Architecture: "x86_64", RootDeviceType: "ebs", RootDeviceName: "/dev/xvda", Virtualization: "hvm", Hypervisor: "xen",
		SpotRequestID: i.SpotRequest, ClientToken: i.ClientToken, Tags: describeTags(i.Tags),
		EBSOptimized: isTrue(i.Launch.EBSOptimized), CPU: cpuOptions{kind.vcpus(), 1}, Metadata: e.metadataOptions(i),
		Groups: []groupDescription{}, BlockDevices: []blockDevice{},
	}
	if i.Launch.spot() {
		d.Lifecycle = "spot"
	}
	if m := i.Launch.Monitoring; m != nil && m.Enabled {
		d.Monitoring.State = "enabled"
	}
	if p := i.Launch.IAMInstanceProfile; p != nil {
		if role, err := e.role(*p); err == nil {
			d.Profile = &profileDescription{role.ProfileARN, strings.ToUpper(fixedID("aipa", role.Name))}
		}
	}
	if i.State == terminated {
		return d
	}
	z, _ := e.zone(i.Zone)
	d.SubnetID, d.VPCID, d.PrivateIPAddress, d.PrivateDNSName = z.subnet, e.vpc(), i.Address.String(), e.hostname(i)
	d.Groups = []groupDescription{{e.group(), groupName}}
	d.BlockDevices = []blockDevice{{"/dev/xvda", volume{fixedID("vol", i.ID), "attached", i.LaunchedAt, true}}}
	return d
}

// metadataOptions are those of the launch, or what an image of today says: version 2.
func (e *EC2) metadataOptions(i instance) metadataOptions {
	options := metadataOptions{State: "applied", HTTPTokens: "required", HopLimit: 2, HTTPEndpoint: "enabled", InstanceMetadataTags: "disabled"}
	if i.State == pending {
		options.State = "pending"
	}
	asked := i.Launch.MetadataOptions
	if asked == nil {
		return options
	}
	options.HTTPTokens = cmp.Or(asked.HTTPTokens, options.HTTPTokens)
	options.HopLimit = cmp.Or(asked.HTTPPutResponseHopLimit, options.HopLimit)
	options.HTTPEndpoint = cmp.Or(asked.HTTPEndpoint, options.HTTPEndpoint)
	options.InstanceMetadataTags = cmp.Or(asked.InstanceMetadataTags, options.InstanceMetadataTags)
	return options
}

func describeTags(tags map[string]string) []tagDescription {
	all := make([]tagDescription, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, tagDescription{key, tags[key]})
	}
	return all
}

type describeRequest struct {
	InstanceIDs []string `wire:"InstanceId"`
	Filters     []filter `wire:"Filter"`
	MaxResults  int
	NextToken   string
	DryRun      bool
}

type reservationDescription struct {
	ID        string             `wire:"reservationId"`
	OwnerID   string             `wire:"ownerId"`
	Groups    []groupDescription `wire:"groupSet"`
	Instances []description      `wire:"instancesSet"`
}

type describeResponse struct {
	Reservations []reservationDescription `wire:"reservationSet"`
	NextToken    string                   `wire:"nextToken"`
}

func (e *EC2) describeInstances(_ context.Context, in describeRequest) (describeResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.checkNamed(in.InstanceIDs, in.MaxResults); err != nil {
		return describeResponse{}, err
	}
	if err := dryRun(in.DryRun); err != nil {
		return describeResponse{}, err
	}
	listed, err := filtered(e.list(in.InstanceIDs), in.Filters, e.instanceFilters())
	if err != nil {
		return describeResponse{}, err
	}
	page, next, err := paged(listed, in.MaxResults, in.NextToken)
	if err != nil {
		return describeResponse{}, err
	}
	out := describeResponse{Reservations: []reservationDescription{}, NextToken: next}
	for _, i := range page {
		last := len(out.Reservations) - 1
		if last < 0 || out.Reservations[last].ID != i.Reservation {
			out.Reservations = append(out.Reservations, reservationDescription{ID: i.Reservation, OwnerID: e.config.AccountID, Groups: []groupDescription{}})
			last++
		}
		out.Reservations[last].Instances = append(out.Reservations[last].Instances, e.describe(i))
	}
	return out, nil
}

// checkNamed: who names instances gets them all, or an error for the one that is none.
func (e *EC2) checkNamed(ids []string, maxResults int) error {
	if len(ids) == 0 {
		return nil
	}
	if maxResults != 0 {
		return fail(invalidCombination, "The parameter instancesSet cannot be used with the parameter maxResults")
	}
	_, err := e.instances(ids)
	return err
}

// list gives the instances in the order of their launch, as lists are at this moment:
// while they are frozen, as they were then.
func (e *EC2) list(ids []string) []instance {
	if e.troubles.Empty() {
		return nil
	}
	all := e.frozen
	if !e.troubles.Frozen() {
		all = e.snapshot()
	}
	if len(ids) == 0 {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), func(i instance) bool { return !slices.Contains(ids, i.ID) })
}

func (e *EC2) snapshot() []instance {
	now := time.Now()
	all := make([]instance, 0, len(e.kept.Instances))
	for _, i := range e.kept.Instances {
		if i.seen(now) {
			shown := *i
			shown.Tags = maps.Clone(i.Tags)
			all = append(all, shown)
		}
	}
	slices.SortFunc(all, func(a, b instance) int {
		return cmp.Or(a.LaunchedAt.Compare(b.LaunchedAt), cmp.Compare(a.Reservation, b.Reservation), cmp.Compare(a.LaunchIndex, b.LaunchIndex))
	})
	return all
}

// Freeze remembers what lists say now, for as long as they are frozen.
func (e *EC2) Freeze() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.frozen = e.snapshot()
}
