package contract_test

import (
	"context"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

func TestLaunch(t *testing.T) {
	t.Parallel()
	a := open(t)
	t.Run("a dry run says what would be and launches nothing", func(t *testing.T) {
		token := uuid.NewString()
		_, err := a.ec2.RunInstances(t.Context(), a.launchInput(1, func(in *ec2.RunInstancesInput) { in.DryRun, in.ClientToken = aws.Bool(true), &token }))
		wantCode(t, err, "DryRunOperation")
		if found := a.find(t, "client-token", token); len(found) != 0 {
			t.Errorf("a dry run launched %v", ids(found))
		}
	})
	t.Run("a repeated token launches once", func(t *testing.T) {
		in := a.launchInput(2)
		first := must(a.ec2.RunInstances(t.Context(), in))(t)
		a.terminateAtEnd(t, first.Instances)
		second := must(a.ec2.RunInstances(t.Context(), in))(t)
		if diff := cmp.Diff(ids(first.Instances), ids(second.Instances)); diff != "" || *first.ReservationId != *second.ReservationId {
			t.Errorf("instances of the second call (-first +second):\n%s", diff)
		}
		if found := a.find(t, "client-token", *in.ClientToken); len(found) != 2 {
			t.Errorf("the token launched %d instances, want 2", len(found))
		}
	})
	t.Run("a token with other arguments is refused", func(t *testing.T) {
		in := a.launchInput(1)
		a.terminateAtEnd(t, must(a.ec2.RunInstances(t.Context(), in))(t).Instances)
		in.MaxCount = aws.Int32(2)
		_, err := a.ec2.RunInstances(t.Context(), in)
		wantCode(t, err, "IdempotentParameterMismatch")
	})
	t.Run("a token whose instance is gone launches none", func(t *testing.T) {
		in := a.launchInput(1)
		first := ids(must(a.ec2.RunInstances(t.Context(), in))(t).Instances)
		must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: first}))(t)
		a.awaitTerminated(t, first...)
		_, err := a.ec2.RunInstances(t.Context(), in)
		wantCode(t, err, "IdempotentInstanceTerminated")
	})
	t.Run("several come in one reservation, numbered", func(t *testing.T) {
		launched := a.launch(t, 3)
		var indices []int32
		for _, i := range launched {
			indices = append(indices, *i.AmiLaunchIndex)
		}
		if diff := cmp.Diff([]int32{0, 1, 2}, indices); diff != "" {
			t.Errorf("launch indices (-want +got):\n%s", diff)
		}
	})
	t.Run("as many come as may, between the fewest and the most", func(t *testing.T) {
		launched := a.launch(t, 1, func(in *ec2.RunInstancesInput) { in.MaxCount = aws.Int32(2) })
		if len(launched) != 2 {
			t.Errorf("launched %d with room for all, want 2", len(launched))
		}
	})
}

func TestLaunchedInstance(t *testing.T) {
	t.Parallel()
	a := open(t)
	launched := a.launch(t, 1, func(in *ec2.RunInstancesInput) {
		in.UserData = userData("GREETING=hello\n")
		in.KeyName = &a.key
		in.MetadataOptions = &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateRequired, HttpPutResponseHopLimit: aws.Int32(1)}
		in.Monitoring = &types.RunInstancesMonitoringEnabled{Enabled: aws.Bool(true)}
	})[0]
	t.Run("is pending at first", func(t *testing.T) {
		if launched.State.Name != types.InstanceStateNamePending || *launched.State.Code != 0 {
			t.Errorf("the state is %s (%d), want pending (0)", launched.State.Name, *launched.State.Code)
		}
	})
	t.Run("has the tags it was launched with", func(t *testing.T) {
		if got := tagsOf(launched.Tags); got["contract"] != a.name {
			t.Errorf("tags are %v, want contract=%s", got, a.name)
		}
	})
	t.Run("has an address in its subnet", func(t *testing.T) {
		subnets := must(a.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{*launched.SubnetId}}))(t).Subnets
		prefix, address := netip.MustParsePrefix(*subnets[0].CidrBlock), netip.MustParseAddr(*launched.PrivateIpAddress)
		if !prefix.Contains(address) || *subnets[0].AvailabilityZone != *launched.Placement.AvailabilityZone {
			t.Errorf("the address %s in %s is not in %s in %s", address, *launched.Placement.AvailabilityZone, prefix, *subnets[0].AvailabilityZone)
		}
	})
	t.Run("keeps its user data", func(t *testing.T) {
		out := must(a.ec2.DescribeInstanceAttribute(t.Context(), &ec2.DescribeInstanceAttributeInput{
			InstanceId: launched.InstanceId, Attribute: types.InstanceAttributeNameUserData,
		}))(t)
		if *out.UserData.Value != *userData("GREETING=hello\n") {
			t.Errorf("user data are %q", *out.UserData.Value)
		}
	})
	a.awaitRunning(t, *launched.InstanceId)
	t.Run("is shown as it was launched", func(t *testing.T) {
		shown := a.describe(t, *launched.InstanceId)
		if shown.MetadataOptions.HttpTokens != types.HttpTokensStateRequired || *shown.MetadataOptions.HttpPutResponseHopLimit != 1 {
			t.Errorf("metadata options are %+v, want tokens required and one hop", shown.MetadataOptions)
		}
		if shown.Monitoring.State != types.MonitoringStateEnabled || *shown.KeyName != a.key || string(shown.InstanceType) != a.kind || *shown.ImageId != a.image {
			t.Errorf("monitoring %s, key %s, type %s, image %s differ from what was asked", shown.Monitoring.State, *shown.KeyName, shown.InstanceType, *shown.ImageId)
		}
	})
	t.Run("passes its status checks", func(t *testing.T) {
		waiter := ec2.NewInstanceStatusOkWaiter(a.ec2, func(o *ec2.InstanceStatusOkWaiterOptions) { o.MinDelay, o.MaxDelay = a.pace, a.pace })
		if err := waiter.Wait(t.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{*launched.InstanceId}}, a.limit); err != nil {
			t.Error(err)
		}
	})
}

func TestLaunchRefused(t *testing.T) {
	t.Parallel()
	a := open(t)
	cases := map[string]struct {
		change func(*ec2.RunInstancesInput)
		want   string
	}{
		"image unknown":       {func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("ami-00000000000000bad") }, "InvalidAMIID.NotFound"},
		"image malformed":     {func(in *ec2.RunInstancesInput) { in.ImageId = aws.String("ami-what") }, "InvalidAMIID.Malformed"},
		"type unknown":        {func(in *ec2.RunInstancesInput) { in.InstanceType = "enormous.64" }, "InvalidParameterValue"},
		"fewest above most":   {func(in *ec2.RunInstancesInput) { in.MinCount = aws.Int32(3) }, "InvalidParameterValue"},
		"user data too large": {func(in *ec2.RunInstancesInput) { in.UserData = userData(strings.Repeat("x", 16<<10+1)) }, "InvalidParameterValue"},
		"user data no base64": {func(in *ec2.RunInstancesInput) { in.UserData = aws.String("!!") }, "InvalidUserData.Malformed"},
		"subnet unknown":      {func(in *ec2.RunInstancesInput) { in.SubnetId = aws.String("subnet-00000000000000bad") }, "InvalidSubnetID.NotFound"},
		"key pair unknown":    {func(in *ec2.RunInstancesInput) { in.KeyName = aws.String("nobody's") }, "InvalidKeyPair.NotFound"},
		"group unknown":       {func(in *ec2.RunInstancesInput) { in.SecurityGroupIds = []string{"sg-00000000000000bad"} }, "InvalidGroup.NotFound"},
		"zone unknown": {func(in *ec2.RunInstancesInput) {
			in.Placement = &types.Placement{AvailabilityZone: aws.String("mars-1a")}
		}, "InvalidParameterValue"},
		"template unknown": {func(in *ec2.RunInstancesInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: aws.String("lt-00000000000000bad")}
		}, "InvalidLaunchTemplateId.NotFound"},
		"template's name unknown": {func(in *ec2.RunInstancesInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: aws.String(a.name + "-nobody's")}
		}, "InvalidLaunchTemplateName.NotFoundException"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := a.launchInput(1, c.change)
			_, err := a.ec2.RunInstances(t.Context(), in)
			wantCode(t, err, c.want)
			if found := a.find(t, "client-token", *in.ClientToken); len(found) != 0 {
				t.Errorf("it launched %v", ids(found))
			}
		})
	}
}

func TestLaunchTemplate(t *testing.T) {
	t.Parallel()
	a := open(t)
	name := aws.String(a.name)
	made := must(a.ec2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
		LaunchTemplateName: name,
		LaunchTemplateData: &types.RequestLaunchTemplateData{
			ImageId: &a.image, InstanceType: types.InstanceType(a.kind), UserData: userData("A=template\n"),
			TagSpecifications: []types.LaunchTemplateTagSpecificationRequest{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("from"), Value: name}}}},
		},
	}))(t).LaunchTemplate
	t.Cleanup(func() {
		_, _ = a.ec2.DeleteLaunchTemplate(context.WithoutCancel(t.Context()), &ec2.DeleteLaunchTemplateInput{LaunchTemplateId: made.LaunchTemplateId})
	})
	t.Run("a name is given once", func(t *testing.T) {
		_, err := a.ec2.CreateLaunchTemplate(t.Context(), &ec2.CreateLaunchTemplateInput{
			LaunchTemplateName: name, LaunchTemplateData: &types.RequestLaunchTemplateData{ImageId: &a.image},
		})
		wantCode(t, err, "InvalidLaunchTemplateName.AlreadyExistsException")
	})
	t.Run("a launch takes what it does not say from the template", func(t *testing.T) {
		launched := a.launch(t, 1, func(in *ec2.RunInstancesInput) {
			in.ImageId, in.InstanceType, in.UserData = nil, "", userData("A=launch\n")
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateName: name, Version: aws.String("$Latest")}
		})[0]
		tags := tagsOf(launched.Tags)
		if *launched.ImageId != a.image || string(launched.InstanceType) != a.kind || tags["from"] != a.name || tags["contract"] != a.name {
			t.Errorf("image %s, type %s, tags %v: want the template's, and both tags", *launched.ImageId, launched.InstanceType, tags)
		}
		out := must(a.ec2.DescribeInstanceAttribute(t.Context(), &ec2.DescribeInstanceAttributeInput{
			InstanceId: launched.InstanceId, Attribute: types.InstanceAttributeNameUserData,
		}))(t)
		if *out.UserData.Value != *userData("A=launch\n") {
			t.Errorf("user data are %s, want the launch's", *out.UserData.Value)
		}
	})
	t.Run("a new version is the latest, not the default", func(t *testing.T) {
		must(a.ec2.CreateLaunchTemplateVersion(t.Context(), &ec2.CreateLaunchTemplateVersionInput{
			LaunchTemplateId: made.LaunchTemplateId, SourceVersion: aws.String("1"),
			LaunchTemplateData: &types.RequestLaunchTemplateData{UserData: userData("A=2\n")},
		}))(t)
		out := must(a.ec2.DescribeLaunchTemplateVersions(t.Context(), &ec2.DescribeLaunchTemplateVersionsInput{
			LaunchTemplateId: made.LaunchTemplateId, Versions: []string{"$Latest", "$Default"},
		}))(t).LaunchTemplateVersions
		if *out[0].VersionNumber != 2 || *out[1].VersionNumber != 1 || *out[0].LaunchTemplateData.ImageId != a.image {
			t.Errorf("the latest is %d from image %s, the default %d; want 2 from the first's image, and 1", *out[0].VersionNumber, *out[0].LaunchTemplateData.ImageId, *out[1].VersionNumber)
		}
	})
	t.Run("a version that is not there is refused", func(t *testing.T) {
		_, err := a.ec2.RunInstances(t.Context(), a.launchInput(1, func(in *ec2.RunInstancesInput) {
			in.LaunchTemplate = &types.LaunchTemplateSpecification{LaunchTemplateId: made.LaunchTemplateId, Version: aws.String("99")}
		}))
		wantCode(t, err, "InvalidLaunchTemplateId.VersionNotFound")
	})
}

// find lists the instances that a filter finds, terminated ones too.
func (a account) find(t *testing.T, filter string, values ...string) []types.Instance {
	t.Helper()
	out := must(a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{
		Filters: []types.Filter{{Name: &filter, Values: values}, {Name: aws.String("instance-state-name"), Values: []string{"*"}}},
	}))(t)
	var found []types.Instance
	for _, r := range out.Reservations {
		found = append(found, r.Instances...)
	}
	slices.SortFunc(found, func(a, b types.Instance) int { return strings.Compare(*a.InstanceId, *b.InstanceId) })
	return found
}

func tagsOf(tags []types.Tag) map[string]string {
	all := make(map[string]string)
	for _, tag := range tags {
		all[*tag.Key] = *tag.Value
	}
	return all
}
