package contract_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

func TestStopAndStart(t *testing.T) {
	t.Parallel()
	a := open(t)
	id := a.running(t, 1)[0]
	before := a.describe(t, id)
	t.Run("stop tells both states", func(t *testing.T) {
		out := must(a.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}}))(t).StoppingInstances[0]
		if out.PreviousState.Name != types.InstanceStateNameRunning || out.CurrentState.Name != types.InstanceStateNameStopping || *out.CurrentState.Code != 64 {
			t.Errorf("from %s to %s (%d), want from running to stopping (64)", out.PreviousState.Name, out.CurrentState.Name, *out.CurrentState.Code)
		}
	})
	a.awaitStopped(t, id)
	stopped := a.describe(t, id)
	t.Run("a stopped instance says who stopped it", func(t *testing.T) {
		if stopped.StateReason == nil || *stopped.StateReason.Code != "Client.UserInitiatedShutdown" {
			t.Errorf("the reason is %+v, want Client.UserInitiatedShutdown", stopped.StateReason)
		}
	})
	t.Run("it keeps its address", func(t *testing.T) {
		if *stopped.PrivateIpAddress != *before.PrivateIpAddress {
			t.Errorf("the address was %s and is %s", *before.PrivateIpAddress, *stopped.PrivateIpAddress)
		}
	})
	t.Run("its status is shown to who asks for all only", func(t *testing.T) {
		usual := must(a.ec2.DescribeInstanceStatus(t.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}))(t)
		all := must(a.ec2.DescribeInstanceStatus(t.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}, IncludeAllInstances: aws.Bool(true)}))(t)
		if len(usual.InstanceStatuses) != 0 || len(all.InstanceStatuses) != 1 {
			t.Errorf("shown %d and %d, want 0 and 1", len(usual.InstanceStatuses), len(all.InstanceStatuses))
		}
	})
	t.Run("stopping it again is no error", func(t *testing.T) {
		out := must(a.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}}))(t).StoppingInstances[0]
		if out.CurrentState.Name != types.InstanceStateNameStopped {
			t.Errorf("the state is %s, want stopped", out.CurrentState.Name)
		}
	})
	t.Run("it gets another type while it is stopped", func(t *testing.T) {
		must(a.ec2.ModifyInstanceAttribute(t.Context(), &ec2.ModifyInstanceAttributeInput{
			InstanceId: &id, InstanceType: &types.AttributeValue{Value: &a.kind},
		}))(t)
	})
	t.Run("start brings it back", func(t *testing.T) {
		out := must(a.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{id}}))(t).StartingInstances[0]
		if out.PreviousState.Name != types.InstanceStateNameStopped || out.CurrentState.Name != types.InstanceStateNamePending {
			t.Errorf("from %s to %s, want from stopped to pending", out.PreviousState.Name, out.CurrentState.Name)
		}
		a.awaitRunning(t, id)
		after := a.describe(t, id)
		if *after.PrivateIpAddress != *before.PrivateIpAddress || after.LaunchTime.Before(*before.LaunchTime) {
			t.Errorf("address %s, launched %s; want %s and not before %s", *after.PrivateIpAddress, after.LaunchTime, *before.PrivateIpAddress, before.LaunchTime)
		}
	})
	t.Run("it keeps its type while it runs", func(t *testing.T) {
		_, err := a.ec2.ModifyInstanceAttribute(t.Context(), &ec2.ModifyInstanceAttributeInput{InstanceId: &id, InstanceType: &types.AttributeValue{Value: &a.kind}})
		wantCode(t, err, "IncorrectInstanceState")
	})
}

func TestTerminate(t *testing.T) {
	t.Parallel()
	a := open(t)
	id := a.running(t, 1)[0]
	t.Run("a dry run leaves it running", func(t *testing.T) {
		_, err := a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}, DryRun: aws.Bool(true)})
		wantCode(t, err, "DryRunOperation")
	})
	t.Run("a protected instance is not terminated", func(t *testing.T) {
		protect := func(value bool) {
			must(a.ec2.ModifyInstanceAttribute(t.Context(), &ec2.ModifyInstanceAttributeInput{
				InstanceId: &id, DisableApiTermination: &types.AttributeBooleanValue{Value: &value},
			}))(t)
		}
		protect(true)
		_, err := a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
		wantCode(t, err, "OperationNotPermitted")
		protect(false)
	})
	t.Run("one that is none spares the others", func(t *testing.T) {
		_, err := a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id, "i-00000000000000bad"}})
		wantCode(t, err, "InvalidInstanceID.NotFound")
		if state := a.describe(t, id).State.Name; state != types.InstanceStateNameRunning {
			t.Errorf("the other is %s, want running", state)
		}
	})
	t.Run("terminate tells both states", func(t *testing.T) {
		out := must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))(t).TerminatingInstances[0]
		if out.PreviousState.Name != types.InstanceStateNameRunning || out.CurrentState.Name != types.InstanceStateNameShuttingDown {
			t.Errorf("from %s to %s, want from running to shutting-down", out.PreviousState.Name, out.CurrentState.Name)
		}
	})
	a.awaitTerminated(t, id)
	t.Run("it stays visible, without a network", func(t *testing.T) {
		shown := a.describe(t, id)
		if shown.StateReason == nil || *shown.StateReason.Code != "Client.UserInitiatedShutdown" || shown.PrivateIpAddress != nil {
			t.Errorf("the reason is %+v, the address %v; want Client.UserInitiatedShutdown and none", shown.StateReason, shown.PrivateIpAddress)
		}
	})
	t.Run("terminating it again is no error", func(t *testing.T) {
		out := must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))(t).TerminatingInstances[0]
		if out.CurrentState.Name != types.InstanceStateNameTerminated {
			t.Errorf("the state is %s, want terminated", out.CurrentState.Name)
		}
	})
	t.Run("it cannot be started", func(t *testing.T) {
		_, err := a.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{id}})
		wantCode(t, err, "IncorrectInstanceState")
	})
	t.Run("it cannot be stopped", func(t *testing.T) {
		_, err := a.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}})
		wantCode(t, err, "IncorrectInstanceState")
	})
}

func TestInstanceNamed(t *testing.T) {
	t.Parallel()
	a := open(t)
	for name, c := range map[string]struct{ id, want string }{
		"unknown":                  {"i-00000000000000bad", "InvalidInstanceID.NotFound"},
		"unknown, of the old kind": {"i-0000dead", "InvalidInstanceID.NotFound"},
		"malformed":                {"i-nothing", "InvalidInstanceID.Malformed"},
		"of another kind":          {"ami-00000000000000bad", "InvalidInstanceID.Malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			list := []string{c.id}
			_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: list})
			wantCode(t, err, c.want)
			_, err = a.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: list})
			wantCode(t, err, c.want)
			_, err = a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: list})
			wantCode(t, err, c.want)
			_, err = a.ec2.DescribeInstanceStatus(t.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: list})
			wantCode(t, err, c.want)
		})
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	a := open(t)
	id := ids(a.launch(t, 1))[0]
	create := func(resource string, tags ...types.Tag) error {
		_, err := a.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{resource}, Tags: tags})
		return err
	}
	tag := func(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }
	t.Run("a tag is added, another replaced", func(t *testing.T) {
		if err := create(id, tag("pool", "warm"), tag("contract", a.name+"-2")); err != nil {
			t.Fatal(err)
		}
		if got := tagsOf(a.describe(t, id).Tags); got["pool"] != "warm" || got["contract"] != a.name+"-2" || len(got) != 2 {
			t.Errorf("tags are %v", got)
		}
	})
	t.Run("an instance that is none gets none", func(t *testing.T) {
		wantCode(t, create("i-00000000000000bad", tag("a", "b")), "InvalidInstanceID.NotFound")
	})
	t.Run("AWS keeps a prefix for itself", func(t *testing.T) {
		wantCode(t, create(id, tag("aws:mine", "b")), "InvalidParameterValue")
	})
	t.Run("more than fifty are too many", func(t *testing.T) {
		var many []types.Tag
		for _, letter := range "abcdefghijklmnopqrstuvwxyz" {
			many = append(many, tag("1"+string(letter), ""), tag("2"+string(letter), ""))
		}
		wantCode(t, create(id, many...), "TagLimitExceeded")
	})
	t.Run("tags are listed by resource", func(t *testing.T) {
		out := must(a.ec2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []types.Filter{{Name: aws.String("resource-id"), Values: []string{id}}}}))(t)
		if !slices.ContainsFunc(out.Tags, func(t types.TagDescription) bool {
			return *t.Key == "pool" && *t.Value == "warm" && t.ResourceType == "instance"
		}) {
			t.Errorf("tags are %+v, want pool=warm among them", out.Tags)
		}
	})
	t.Run("a tag is deleted where its value is the one given", func(t *testing.T) {
		for _, c := range []struct {
			value string
			left  bool
		}{{"cold", true}, {"warm", false}} {
			must(a.ec2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: []string{id}, Tags: []types.Tag{tag("pool", c.value)}}))(t)
			if _, found := tagsOf(a.describe(t, id).Tags)["pool"]; found != c.left {
				t.Errorf("after deleting pool=%s it is there: %v, want %v", c.value, found, c.left)
			}
		}
	})
}
