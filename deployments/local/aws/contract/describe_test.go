package contract_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestListInstances(t *testing.T) {
	t.Parallel()
	a := open(t)
	launched := a.running(t, 7)
	filter := func(name string, values ...string) types.Filter { return types.Filter{Name: &name, Values: values} }
	mine := filter("tag:contract", a.name)
	list := func(t *testing.T, filters ...types.Filter) []string {
		t.Helper()
		out := must(a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: append(filters, mine)}))(t)
		var all []string
		for _, r := range out.Reservations {
			all = append(all, ids(r.Instances)...)
		}
		return all
	}
	address := *a.describe(t, launched[0]).PrivateIpAddress
	for name, c := range map[string]struct {
		filters []types.Filter
		want    int
	}{
		"by tag":                         {nil, 7},
		"by state":                       {[]types.Filter{filter("instance-state-name", "running", "pending")}, 7},
		"by a state that none is in":     {[]types.Filter{filter("instance-state-name", "stopped")}, 0},
		"by the state's number":          {[]types.Filter{filter("instance-state-code", "16")}, 7},
		"by a part of the tag's key":     {[]types.Filter{filter("tag-key", "con*")}, 7},
		"by type":                        {[]types.Filter{filter("instance-type", a.kind)}, 7},
		"by a pattern of types":          {[]types.Filter{filter("instance-type", a.kind[:2]+"*")}, 7},
		"by address":                     {[]types.Filter{filter("private-ip-address", address)}, 1},
		"by image and state":             {[]types.Filter{filter("image-id", a.image), filter("instance-state-name", "running")}, 7},
		"by one of two ids":              {[]types.Filter{filter("instance-id", launched[3], "i-00000000000000bad")}, 1},
		"by a value with the wrong case": {[]types.Filter{filter("instance-state-name", "Running")}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := list(t, c.filters...); len(got) != c.want {
				t.Errorf("found %v, want %d", got, c.want)
			}
		})
	}
	t.Run("by a filter that is none", func(t *testing.T) {
		_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{Filters: []types.Filter{filter("colour", "red")}})
		wantCode(t, err, "InvalidParameterValue")
	})
	t.Run("pages give each once", func(t *testing.T) {
		pages := ec2.NewDescribeInstancesPaginator(a.ec2, &ec2.DescribeInstancesInput{Filters: []types.Filter{mine}, MaxResults: aws.Int32(5)})
		var all []string
		count := 0
		for ; pages.HasMorePages(); count++ {
			page := must(pages.NextPage(t.Context()))(t)
			for _, r := range page.Reservations {
				all = append(all, ids(r.Instances)...)
			}
		}
		slices.Sort(all)
		slices.Sort(launched)
		if count < 2 || !slices.Equal(all, launched) {
			t.Errorf("%d pages gave %v, want at least 2 with %v", count, all, launched)
		}
	})
	t.Run("a page has five at least", func(t *testing.T) {
		_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{MaxResults: aws.Int32(2)})
		wantCode(t, err, "InvalidParameterValue")
	})
	t.Run("who names instances gets no pages", func(t *testing.T) {
		_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: launched[:1], MaxResults: aws.Int32(5)})
		wantCode(t, err, "InvalidParameterCombination")
	})
	t.Run("status is paged too", func(t *testing.T) {
		pages := ec2.NewDescribeInstanceStatusPaginator(a.ec2, &ec2.DescribeInstanceStatusInput{Filters: []types.Filter{mine}, MaxResults: aws.Int32(5), IncludeAllInstances: aws.Bool(true)})
		count := 0
		for pages.HasMorePages() {
			count += len(must(pages.NextPage(t.Context()))(t).InstanceStatuses)
		}
		if count != 7 {
			t.Errorf("pages gave %d, want 7", count)
		}
	})
}

func TestWorld(t *testing.T) {
	t.Parallel()
	a := open(t)
	t.Run("an image by its id", func(t *testing.T) {
		images := must(a.ec2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{a.image}}))(t).Images
		if len(images) != 1 || images[0].State != types.ImageStateAvailable {
			t.Errorf("found %+v, want one that is available", images)
		}
	})
	t.Run("an image that is none", func(t *testing.T) {
		_, err := a.ec2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{ImageIds: []string{"ami-00000000000000bad"}})
		wantCode(t, err, "InvalidAMIID.NotFound")
	})
	t.Run("a type", func(t *testing.T) {
		kinds := must(a.ec2.DescribeInstanceTypes(t.Context(), &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{types.InstanceType(a.kind)}}))(t).InstanceTypes
		if len(kinds) != 1 || *kinds[0].VCpuInfo.DefaultVCpus < 1 || *kinds[0].MemoryInfo.SizeInMiB < 1 {
			t.Errorf("found %+v, want one with processors and memory", kinds)
		}
	})
	t.Run("a type that is none", func(t *testing.T) {
		_, err := a.ec2.DescribeInstanceTypes(t.Context(), &ec2.DescribeInstanceTypesInput{InstanceTypes: []types.InstanceType{"enormous.64"}})
		wantCode(t, err, "InvalidInstanceType")
	})
	t.Run("every zone has a subnet", func(t *testing.T) {
		zones := must(a.ec2.DescribeAvailabilityZones(t.Context(), &ec2.DescribeAvailabilityZonesInput{}))(t).AvailabilityZones
		if len(zones) < 2 {
			t.Fatalf("there are %d zones, want two at least", len(zones))
		}
		for _, zone := range zones {
			subnets := must(a.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: []types.Filter{{Name: aws.String("availability-zone"), Values: []string{*zone.ZoneName}}}}))(t).Subnets
			if zone.State != types.AvailabilityZoneStateAvailable || len(subnets) == 0 {
				t.Errorf("zone %s is %s and has %d subnets", *zone.ZoneName, zone.State, len(subnets))
			}
		}
	})
	t.Run("the default network and its group", func(t *testing.T) {
		vpcs := must(a.ec2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{Filters: []types.Filter{{Name: aws.String("is-default"), Values: []string{"true"}}}}))(t).Vpcs
		groups := must(a.ec2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupNames: []string{"default"}}))(t).SecurityGroups
		if len(vpcs) != 1 || len(groups) != 1 || *groups[0].VpcId != *vpcs[0].VpcId {
			t.Errorf("networks %+v, groups %+v; want one each, of each other", vpcs, groups)
		}
	})
	t.Run("the key pair", func(t *testing.T) {
		if pairs := must(a.ec2.DescribeKeyPairs(t.Context(), &ec2.DescribeKeyPairsInput{KeyNames: []string{a.key}}))(t).KeyPairs; len(pairs) != 1 {
			t.Errorf("found %+v, want one", pairs)
		}
		_, err := a.ec2.DescribeKeyPairs(t.Context(), &ec2.DescribeKeyPairsInput{KeyNames: []string{"nobody's"}})
		wantCode(t, err, "InvalidKeyPair.NotFound")
	})
}
