package ec2

import (
	"context"
	"math"
	"slices"
	"time"
)

type zonesRequest struct {
	Names   []string `wire:"ZoneName"`
	IDs     []string `wire:"ZoneId"`
	Filters []filter `wire:"Filter"`
	All     bool     `wire:"AllAvailabilityZones"`
	DryRun  bool
}

type zonesResponse struct {
	Zones []zoneDescription `wire:"availabilityZoneInfo"`
}

type zoneDescription struct {
	Name    string `wire:"zoneName"`
	ID      string `wire:"zoneId"`
	Type    string `wire:"zoneType"`
	State   string `wire:"zoneState"`
	Region  string `wire:"regionName"`
	Group   string `wire:"groupName"`
	OptedIn string `wire:"optInStatus"`
}

func (e *EC2) describeZones(_ context.Context, in zonesRequest) (zonesResponse, error) {
	if err := dryRun(in.DryRun); err != nil {
		return zonesResponse{}, err
	}
	for _, name := range in.Names {
		if _, known := e.zone(name); !known {
			return zonesResponse{}, fail(invalidParameterValue, "Invalid availability zone: [%s]", name)
		}
	}
	all := []zoneDescription{}
	for _, z := range e.zones {
		if (len(in.Names) == 0 || slices.Contains(in.Names, z.name)) && (len(in.IDs) == 0 || slices.Contains(in.IDs, z.id)) {
			all = append(all, zoneDescription{z.name, z.id, "availability-zone", "available", e.config.Region, e.config.Region + "-1", "opt-in-not-required"})
		}
	}
	all, err := filtered(all, in.Filters, matchers[zoneDescription]{
		"zone-name":   func(z zoneDescription) []string { return []string{z.Name} },
		"zone-id":     func(z zoneDescription) []string { return []string{z.ID} },
		"zone-type":   func(z zoneDescription) []string { return []string{z.Type} },
		"state":       func(z zoneDescription) []string { return []string{z.State} },
		"region-name": func(z zoneDescription) []string { return []string{z.Region} },
	})
	return zonesResponse{all}, err
}

type subnetsRequest struct {
	IDs        []string `wire:"SubnetId"`
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type subnetsResponse struct {
	Subnets   []subnetDescription `wire:"subnetSet"`
	NextToken string              `wire:"nextToken"`
}

type subnetDescription struct {
	ID      string           `wire:"subnetId"`
	ARN     string           `wire:"subnetArn"`
	VPCID   string           `wire:"vpcId"`
	State   string           `wire:"state"`
	CIDR    string           `wire:"cidrBlock"`
	Free    int              `wire:"availableIpAddressCount"`
	Zone    string           `wire:"availabilityZone"`
	ZoneID  string           `wire:"availabilityZoneId"`
	Default bool             `wire:"defaultForAz"`
	OwnerID string           `wire:"ownerId"`
	Tags    []tagDescription `wire:"tagSet"`
}

// notForInstances of a subnet's addresses, on AWS too.
const notForInstances = 5

func (e *EC2) describeSubnets(_ context.Context, in subnetsRequest) (subnetsResponse, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := dryRun(in.DryRun); err != nil {
		return subnetsResponse{}, err
	}
	for _, id := range in.IDs {
		if _, known := e.zoneOfSubnet(id); !known {
			return subnetsResponse{}, fail(invalidSubnetNotFound, "The subnet ID '%s' does not exist", id)
		}
	}
	all := []subnetDescription{}
	for _, z := range e.zones {
		if len(in.IDs) == 0 || slices.Contains(in.IDs, z.subnet) {
			all = append(all, e.describeSubnet(z))
		}
	}
	all, err := filtered(all, in.Filters, matchers[subnetDescription]{
		"availability-zone": func(s subnetDescription) []string { return []string{s.Zone} },
		"default-for-az":    func(subnetDescription) []string { return []string{"true"} },
		"subnet-id":         func(s subnetDescription) []string { return []string{s.ID} },
		"vpc-id":            func(s subnetDescription) []string { return []string{s.VPCID} },
		"state":             func(s subnetDescription) []string { return []string{s.State} },
	})
	if err != nil {
		return subnetsResponse{}, err
	}
	page, next, err := paged(all, in.MaxResults, in.NextToken)
	return subnetsResponse{page, next}, err
}

func (e *EC2) describeSubnet(z zone) subnetDescription {
	free := int(math.Exp2(float64(z.prefix.Addr().BitLen()-z.prefix.Bits()))) - notForInstances - e.inZone(z.name)
	return subnetDescription{
		z.subnet, "arn:aws:ec2:" + e.config.Region + ":" + e.config.AccountID + ":subnet/" + z.subnet, e.vpc(), "available",
		z.prefix.String(), free, z.name, z.id, true, e.config.AccountID,
		[]tagDescription{},
	}
}

type vpcsRequest struct {
	IDs        []string `wire:"VpcId"`
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type vpcsResponse struct {
	VPCs      []vpcDescription `wire:"vpcSet"`
	NextToken string           `wire:"nextToken"`
}

type vpcDescription struct {
	ID      string           `wire:"vpcId"`
	State   string           `wire:"state"`
	CIDR    string           `wire:"cidrBlock"`
	Default bool             `wire:"isDefault"`
	OwnerID string           `wire:"ownerId"`
	Tags    []tagDescription `wire:"tagSet"`
}

func (e *EC2) describeVPCs(_ context.Context, in vpcsRequest) (vpcsResponse, error) {
	if err := dryRun(in.DryRun); err != nil {
		return vpcsResponse{}, err
	}
	for _, id := range in.IDs {
		if id != e.vpc() {
			return vpcsResponse{}, fail(invalidVPCNotFound, "The vpc ID '%s' does not exist", id)
		}
	}
	all := []vpcDescription{{e.vpc(), "available", e.network.String(), true, e.config.AccountID, []tagDescription{}}}
	all, err := filtered(all, in.Filters, matchers[vpcDescription]{
		"is-default": func(vpcDescription) []string { return []string{"true"} },
		"isDefault":  func(vpcDescription) []string { return []string{"true"} },
		"vpc-id":     func(v vpcDescription) []string { return []string{v.ID} },
		"state":      func(v vpcDescription) []string { return []string{v.State} },
	})
	return vpcsResponse{VPCs: all}, err
}

type groupsRequest struct {
	IDs        []string `wire:"GroupId"`
	Names      []string `wire:"GroupName"`
	Filters    []filter `wire:"Filter"`
	MaxResults int
	NextToken  string
	DryRun     bool
}

type groupsResponse struct {
	Groups    []securityGroup `wire:"securityGroupInfo"`
	NextToken string          `wire:"nextToken"`
}

type securityGroup struct {
	ID          string           `wire:"groupId"`
	Name        string           `wire:"groupName"`
	Description string           `wire:"groupDescription"`
	OwnerID     string           `wire:"ownerId"`
	VPCID       string           `wire:"vpcId"`
	Tags        []tagDescription `wire:"tagSet"`
}

func (e *EC2) describeGroups(_ context.Context, in groupsRequest) (groupsResponse, error) {
	if err := dryRun(in.DryRun); err != nil {
		return groupsResponse{}, err
	}
	for _, id := range in.IDs {
		if id != e.group() {
			return groupsResponse{}, fail(invalidGroupNotFound, "The security group '%s' does not exist", id)
		}
	}
	for _, name := range in.Names {
		if name != groupName {
			return groupsResponse{}, fail(invalidGroupNotFound, "The security group '%s' does not exist in default VPC '%s'", name, e.vpc())
		}
	}
	all := []securityGroup{{e.group(), groupName, "default VPC security group", e.config.AccountID, e.vpc(), []tagDescription{}}}
	all, err := filtered(all, in.Filters, matchers[securityGroup]{
		"group-id":   func(g securityGroup) []string { return []string{g.ID} },
		"group-name": func(g securityGroup) []string { return []string{g.Name} },
		"vpc-id":     func(g securityGroup) []string { return []string{g.VPCID} },
	})
	return groupsResponse{Groups: all}, err
}

type keyPairsRequest struct {
	Names   []string `wire:"KeyName"`
	Filters []filter `wire:"Filter"`
	DryRun  bool
}

type keyPairsResponse struct {
	Pairs []keyPair `wire:"keySet"`
}

type keyPair struct {
	ID        string           `wire:"keyPairId"`
	Name      string           `wire:"keyName"`
	Type      string           `wire:"keyType"`
	CreatedAt time.Time        `wire:"createTime"`
	Tags      []tagDescription `wire:"tagSet"`
}

func (e *EC2) describeKeyPairs(_ context.Context, in keyPairsRequest) (keyPairsResponse, error) {
	if err := dryRun(in.DryRun); err != nil {
		return keyPairsResponse{}, err
	}
	for _, name := range in.Names {
		if !slices.Contains(e.config.KeyPairs, name) {
			return keyPairsResponse{}, fail(invalidKeyPairNotFound, "The key pair '%s' does not exist", name)
		}
	}
	all := []keyPair{}
	for _, name := range e.config.KeyPairs {
		if len(in.Names) == 0 || slices.Contains(in.Names, name) {
			all = append(all, keyPair{ID: fixedID("key", name), Name: name, Type: "ed25519", Tags: []tagDescription{}})
		}
	}
	all, err := filtered(all, in.Filters, matchers[keyPair]{"key-name": func(k keyPair) []string { return []string{k.Name} }})
	return keyPairsResponse{all}, err
}
