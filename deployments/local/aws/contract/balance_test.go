package contract_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// network is where load balancers are made.
type network struct {
	vpc     string
	subnets []string
}

func (a account) network(t *testing.T) network {
	t.Helper()
	isDefault := []ec2types.Filter{{Name: aws.String("default-for-az"), Values: []string{"true"}}}
	var n network
	for _, s := range must(a.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{Filters: isDefault}))(t).Subnets {
		n.vpc, n.subnets = *s.VpcId, append(n.subnets, *s.SubnetId)
	}
	return n
}

// group makes a target group that ends with the test.
func (a account) group(t *testing.T, name string, change ...func(*elb.CreateTargetGroupInput)) types.TargetGroup {
	t.Helper()
	group := must(a.elb.CreateTargetGroup(t.Context(), a.groupInput(t, name, change...)))(t).TargetGroups[0]
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := a.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: group.TargetGroupArn}); err != nil {
			t.Errorf("deleting the target group: %v", err)
		}
	})
	return group
}

func (a account) groupInput(t *testing.T, name string, change ...func(*elb.CreateTargetGroupInput)) *elb.CreateTargetGroupInput {
	t.Helper()
	in := &elb.CreateTargetGroupInput{
		Name: aws.String(a.name + name), Protocol: types.ProtocolEnumHttp, Port: aws.Int32(8080), VpcId: aws.String(a.network(t).vpc),
		HealthCheckPath: aws.String("/readyz"), HealthCheckIntervalSeconds: aws.Int32(5), HealthCheckTimeoutSeconds: aws.Int32(2),
		HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
	}
	for _, change := range change {
		change(in)
	}
	return in
}

// listen puts a load balancer before the group and gives its address.
func (a account) listen(t *testing.T, group types.TargetGroup) (url string, balancer types.LoadBalancer) {
	t.Helper()
	balancer = must(a.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: &a.name, Subnets: a.network(t).subnets}))(t).LoadBalancers[0]
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := a.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: balancer.LoadBalancerArn}); err != nil {
			t.Errorf("deleting the load balancer: %v", err)
		}
	})
	waiter := elb.NewLoadBalancerAvailableWaiter(a.elb, func(o *elb.LoadBalancerAvailableWaiterOptions) { o.MinDelay, o.MaxDelay = a.pace, a.pace })
	if err := waiter.Wait(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerArns: []string{*balancer.LoadBalancerArn}}, a.limit); err != nil {
		t.Fatal(err)
	}
	must(a.elb.CreateListener(t.Context(), a.listenerInput(group, balancer)))(t)
	return fmt.Sprintf("http://%s:%d", *balancer.DNSName, a.port), balancer
}

func (a account) listenerInput(group types.TargetGroup, balancer types.LoadBalancer) *elb.CreateListenerInput {
	return &elb.CreateListenerInput{
		LoadBalancerArn: balancer.LoadBalancerArn, Protocol: types.ProtocolEnumHttp, Port: &a.port,
		DefaultActions: []types.Action{{Type: types.ActionTypeEnumForward, TargetGroupArn: group.TargetGroupArn}},
	}
}

func targets(ids ...string) []types.TargetDescription {
	var all []types.TargetDescription
	for _, id := range ids {
		all = append(all, types.TargetDescription{Id: &id})
	}
	return all
}

func (a account) register(t *testing.T, group types.TargetGroup, ids ...string) error {
	t.Helper()
	_, err := a.elb.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{TargetGroupArn: group.TargetGroupArn, Targets: targets(ids...)})
	return err
}

func (a account) deregister(t *testing.T, group types.TargetGroup, ids ...string) {
	t.Helper()
	must(a.elb.DeregisterTargets(t.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: group.TargetGroupArn, Targets: targets(ids...)}))(t)
}

// health is the state of a target and its reason.
func (a account) health(t *testing.T, group types.TargetGroup, id string) string {
	t.Helper()
	out := must(a.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn, Targets: targets(id)}))(t)
	h := out.TargetHealthDescriptions[0].TargetHealth
	return strings.TrimSuffix(string(h.State)+" "+string(h.Reason), " ")
}

func (a account) awaitHealth(t *testing.T, group types.TargetGroup, id, want string) {
	t.Helper()
	last := ""
	a.eventually(t, id+" is "+want, func() bool {
		last = a.health(t, group, id)
		return last == want
	})
}

func (a account) awaitInService(t *testing.T, group types.TargetGroup, ids ...string) {
	t.Helper()
	waiter := elb.NewTargetInServiceWaiter(a.elb, func(o *elb.TargetInServiceWaiterOptions) { o.MinDelay, o.MaxDelay = a.pace, a.pace })
	if err := waiter.Wait(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn, Targets: targets(ids...)}, a.limit); err != nil {
		t.Fatal(err)
	}
}

func (a account) delay(t *testing.T, group types.TargetGroup, seconds string) error {
	t.Helper()
	_, err := a.elb.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: group.TargetGroupArn,
		Attributes:     []types.TargetGroupAttribute{{Key: aws.String("deregistration_delay.timeout_seconds"), Value: &seconds}},
	})
	return err
}

func TestTargetGroup(t *testing.T) {
	t.Parallel()
	a := open(t)
	group := a.group(t, "-a")
	t.Run("made again as it is, it is the same", func(t *testing.T) {
		again := must(a.elb.CreateTargetGroup(t.Context(), a.groupInput(t, "-a")))(t).TargetGroups[0]
		if diff := cmp.Diff(group, again, cmpopts.IgnoreUnexported(types.TargetGroup{}, types.Matcher{})); diff != "" {
			t.Errorf("the second differs (-first +second):\n%s", diff)
		}
	})
	t.Run("made again differently, it is refused", func(t *testing.T) {
		_, err := a.elb.CreateTargetGroup(t.Context(), a.groupInput(t, "-a", func(in *elb.CreateTargetGroupInput) { in.Port = aws.Int32(81) }))
		wantType[*types.DuplicateTargetGroupNameException](t, err)
	})
	t.Run("one that is none is not found", func(t *testing.T) {
		missing := aws.String(strings.Replace(*group.TargetGroupArn, a.name, a.name+"x", 1))
		_, err := a.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: missing})
		wantType[*types.TargetGroupNotFoundException](t, err)
		_, err = a.elb.RegisterTargets(t.Context(), &elb.RegisterTargetsInput{TargetGroupArn: missing, Targets: targets("i-00000000000000bad")})
		wantType[*types.TargetGroupNotFoundException](t, err)
		_, err = a.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{Names: []string{a.name + "-none"}})
		wantType[*types.TargetGroupNotFoundException](t, err)
	})
	t.Run("the deregistration delay is five minutes until it is changed", func(t *testing.T) {
		for _, want := range []string{"300", "30"} {
			if want != "300" {
				if err := a.delay(t, group, want); err != nil {
					t.Fatal(err)
				}
			}
			out := must(a.elb.DescribeTargetGroupAttributes(t.Context(), &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: group.TargetGroupArn}))(t)
			found := ""
			for _, attribute := range out.Attributes {
				if *attribute.Key == "deregistration_delay.timeout_seconds" {
					found = *attribute.Value
				}
			}
			if found != want {
				t.Errorf("the delay is %q, want %q", found, want)
			}
		}
	})
	t.Run("a delay of two hours is refused", func(t *testing.T) {
		wantCode(t, a.delay(t, group, "7200"), "ValidationError")
	})
	t.Run("a check every second is refused", func(t *testing.T) {
		_, err := a.elb.ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{TargetGroupArn: group.TargetGroupArn, HealthCheckIntervalSeconds: aws.Int32(1)})
		wantCode(t, err, "ValidationError")
	})
	t.Run("checks are changed", func(t *testing.T) {
		out := must(a.elb.ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{TargetGroupArn: group.TargetGroupArn, HealthyThresholdCount: aws.Int32(3)}))(t)
		if *out.TargetGroups[0].HealthyThresholdCount != 3 || *out.TargetGroups[0].HealthCheckPath != "/readyz" {
			t.Errorf("now %+v, want three good checks of the same path", out.TargetGroups[0])
		}
	})
	t.Run("pages give each once", func(t *testing.T) {
		wanted := map[string]bool{*group.TargetGroupArn: true, *a.group(t, "-b").TargetGroupArn: true, *a.group(t, "-c").TargetGroupArn: true}
		pages := elb.NewDescribeTargetGroupsPaginator(a.elb, &elb.DescribeTargetGroupsInput{PageSize: aws.Int32(2)})
		for pages.HasMorePages() {
			for _, g := range must(pages.NextPage(t.Context()))(t).TargetGroups {
				delete(wanted, *g.TargetGroupArn)
			}
		}
		if len(wanted) != 0 {
			t.Errorf("no page had %v", wanted)
		}
	})
	t.Run("deleting what is not there is no error", func(t *testing.T) {
		gone := a.group(t, "-d")
		must(a.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: gone.TargetGroupArn}))(t)
		must(a.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: gone.TargetGroupArn}))(t)
	})
}

func TestTargets(t *testing.T) {
	t.Parallel()
	a := open(t)
	group := a.group(t, "")
	running := a.running(t, 2)
	first, second := running[0], running[1]
	t.Run("an instance that is none is refused", func(t *testing.T) {
		wantType[*types.InvalidTargetException](t, a.register(t, group, "i-00000000000000bad"))
	})
	t.Run("one that was never registered is unused", func(t *testing.T) {
		if got := a.health(t, group, first); got != "unused Target.NotRegistered" {
			t.Errorf("its health is %s", got)
		}
	})
	if err := a.register(t, group, first, second); err != nil {
		t.Fatal(err)
	}
	t.Run("one that nobody sends requests to is unused", func(t *testing.T) {
		if got := a.health(t, group, first); got != "unused Target.NotInUse" {
			t.Errorf("its health is %s", got)
		}
	})
	url, balancer := a.listen(t, group)
	t.Run("one that is new is initial", func(t *testing.T) {
		if got := a.health(t, group, first); !strings.HasPrefix(got, "initial Elb.") {
			t.Errorf("its health is %s", got)
		}
	})
	a.awaitInService(t, group, first, second)
	t.Run("requests reach all of them", func(t *testing.T) {
		seen := make(map[string]bool)
		for range 10 {
			status, text := call(t, http.MethodGet, url)
			if status != http.StatusOK {
				t.Fatalf("the balancer answers %d", status)
			}
			seen[text] = true
		}
		if !seen[first] || !seen[second] {
			t.Errorf("answers came from %v, want both", seen)
		}
	})
	t.Run("a port has one listener", func(t *testing.T) {
		_, err := a.elb.CreateListener(t.Context(), a.listenerInput(group, balancer))
		wantType[*types.DuplicateListenerException](t, err)
	})
	t.Run("a group in use is not deleted", func(t *testing.T) {
		_, err := a.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: group.TargetGroupArn})
		wantType[*types.ResourceInUseException](t, err)
	})
	t.Run("the group names its balancer", func(t *testing.T) {
		out := must(a.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{LoadBalancerArn: balancer.LoadBalancerArn}))(t)
		if len(out.TargetGroups) != 1 || *out.TargetGroups[0].TargetGroupArn != *group.TargetGroupArn {
			t.Errorf("groups of the balancer are %+v", out.TargetGroups)
		}
	})
	a.testIllness(t, group, first, second, url)
	a.testDraining(t, group, first, second, url)
	t.Run("a stopped one is unused", func(t *testing.T) {
		must(a.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{second}}))(t)
		a.awaitStopped(t, second)
		a.awaitHealth(t, group, second, "unused Target.InvalidState")
	})
	t.Run("a stopped one is not registered", func(t *testing.T) {
		other := a.group(t, "-2")
		wantType[*types.InvalidTargetException](t, a.register(t, other, second))
	})
	t.Run("one that starts again is in service again", func(t *testing.T) {
		must(a.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{second}}))(t)
		a.awaitInService(t, group, second)
	})
}

// testIllness makes whichever answers ill, through the balancer, and well again by
// replacing it: a real account's instances cannot be reached otherwise.
func (a account) testIllness(t *testing.T, group types.TargetGroup, first, second, url string) {
	t.Run("one whose checks get another answer is unhealthy", func(t *testing.T) {
		status, _ := call(t, http.MethodPut, url+"/readyz/500")
		if status != http.StatusOK {
			t.Fatalf("making one ill: %d", status)
		}
		ill := ""
		a.eventually(t, "one is unhealthy", func() bool {
			for _, id := range []string{first, second} {
				if a.health(t, group, id) == "unhealthy Target.ResponseCodeMismatch" {
					ill = id
				}
			}
			return ill != ""
		})
		for range 5 {
			if _, text := call(t, http.MethodGet, url); text == ill {
				t.Errorf("%s still gets requests", ill)
			}
		}
		must(a.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{ill}}))(t)
		a.awaitStopped(t, ill)
		must(a.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{ill}}))(t)
		a.awaitInService(t, group, first, second)
	})
}

func (a account) testDraining(t *testing.T, group types.TargetGroup, first, second, url string) {
	const seconds = "60"
	if err := a.delay(t, group, seconds); err != nil {
		t.Fatal(err)
	}
	t.Run("one that leaves drains, and comes back by being registered", func(t *testing.T) {
		a.deregister(t, group, second)
		if got := a.health(t, group, second); got != "draining Target.DeregistrationInProgress" {
			t.Errorf("its health is %s", got)
		}
		if err := a.register(t, group, second); err != nil {
			t.Fatal(err)
		}
		a.awaitInService(t, group, second)
	})
	t.Run("what it has in hand is finished, and it gets nothing new", func(t *testing.T) {
		inHand := make(map[string]io.ReadCloser)
		for len(inHand) < 2 {
			id, rest := a.begin(t, url+"/slow?for=3s")
			inHand[id] = rest
		}
		a.deregister(t, group, second)
		a.awaitHealth(t, group, second, "draining Target.DeregistrationInProgress")
		for id, rest := range inHand {
			if text, err := io.ReadAll(rest); err != nil || string(text) != " done" {
				t.Errorf("the request that %s had in hand ended with %q and %v", id, text, err)
			}
		}
		a.eventually(t, "only the other gets requests", func() bool {
			for range 5 {
				if _, text := call(t, http.MethodGet, url); text != first {
					return false
				}
			}
			return true
		})
	})
	t.Run("after the delay it is not registered", func(t *testing.T) {
		a.awaitHealth(t, group, second, "unused Target.NotRegistered")
		if err := a.register(t, group, second); err != nil {
			t.Fatal(err)
		}
		a.awaitInService(t, group, second)
	})
}

// begin sends a request whose answer takes its time, and returns when an instance has
// it in hand: with the instance's name and the rest of the answer.
func (a account) begin(t *testing.T, url string) (id string, rest io.ReadCloser) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = response.Body.Close() })
	name := make([]byte, len("i-0123456789abcdef0"))
	if _, err := io.ReadFull(response.Body, name); err != nil {
		t.Fatal(err)
	}
	return string(name), response.Body
}
