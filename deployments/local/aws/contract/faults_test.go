package contract_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/deployments/local/aws/faults"
)

// openLocal gives a stand-in for what no real account does on request. Its clients do
// not try again, so that a test sees each answer.
func openLocal(t *testing.T, options awstest.Options) (account, *awstest.AWS) {
	t.Helper()
	local := awstest.Start(t, options)
	a := account{
		name: "local", image: awstest.Image, kind: "local.quarter", key: awstest.KeyPair,
		port: int32(local.Ports[0]), pace: 20 * time.Millisecond, limit: 3 * time.Minute,
	}
	patient := connect(t.Context(), t, local.Endpoint, local.AccessKey, local.SecretKey)
	a.clients = over(aws.Config{
		Region: awstest.Region, BaseEndpoint: &local.Endpoint, Credentials: patient.ec2.Options().Credentials,
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	})
	return a, local
}

func TestFaultThrottling(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	local.Put(t, faults.Fault{Kind: faults.Throttling, Operations: []string{"DescribeInstances", "DescribeTargetGroups", "ListMetrics"}, Calls: 3})
	_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	wantCode(t, err, "RequestLimitExceeded")
	_, err = a.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	wantCode(t, err, "Throttling")
	_, err = a.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	wantCode(t, err, "Throttling")
	if _, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}); err != nil {
		t.Errorf("a fourth call: %v, want the fault used up", err)
	}
	t.Run("the SDK's own retries get through", func(t *testing.T) {
		local.Put(t, faults.Fault{Kind: faults.Throttling, Calls: 2})
		patient := connect(t.Context(), t, local.Endpoint, local.AccessKey, local.SecretKey)
		if _, err := patient.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}); err != nil {
			t.Error(err)
		}
	})
	t.Run("a rate lets some through", func(t *testing.T) {
		local.Put(t, faults.Fault{Kind: faults.Throttling, Operations: []string{"DescribeImages"}, Rate: 0.001})
		_, err := a.ec2.DescribeImages(t.Context(), &ec2.DescribeImagesInput{})
		wantCode(t, err, "RequestLimitExceeded")
		if _, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}); err != nil {
			t.Errorf("another operation: %v", err)
		}
	})
}

func TestFaultCredentials(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	local.Put(t, faults.Fault{Kind: faults.Expired})
	_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
	wantCode(t, err, "RequestExpired")
	_, err = a.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	wantCode(t, err, "ExpiredToken")
	_, err = a.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
	wantCode(t, err, "ExpiredToken")
	local.ClearFaults(t)
	if _, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}); err != nil {
		t.Errorf("after the fault: %v", err)
	}
}

func TestFaultError(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	local.Put(t, faults.Fault{Kind: faults.Error, Operations: []string{"RunInstances"}, Code: "InternalError", Status: 500, Calls: 1})
	_, err := a.ec2.RunInstances(t.Context(), a.launchInput(1))
	wantCode(t, err, "InternalError")
	a.launch(t, 1)
}

// TestFaultLostAnswer is the accident that client tokens are for.
func TestFaultLostAnswer(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	local.Put(t, faults.Fault{Kind: faults.LostAnswer, Operations: []string{"RunInstances"}, Calls: 1})
	in := a.launchInput(2)
	if _, err := a.ec2.RunInstances(t.Context(), in); err == nil {
		t.Fatal("the answer came")
	}
	again := must(a.ec2.RunInstances(t.Context(), in))(t)
	if found := a.find(t, "tag-key", "contract"); len(found) != 2 || len(again.Instances) != 2 {
		t.Errorf("there are %v, the second call names %v: want the same two", ids(found), ids(again.Instances))
	}
}

func TestFaultCapacity(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	in := func(zone string) func(*ec2.RunInstancesInput) {
		return func(in *ec2.RunInstancesInput) { in.Placement = &ec2types.Placement{AvailabilityZone: &zone} }
	}
	t.Run("none in one zone", func(t *testing.T) {
		local.Put(t, faults.Fault{Kind: faults.Capacity, Zones: []string{"eu-central-1a"}})
		_, err := a.ec2.RunInstances(t.Context(), a.launchInput(1, in("eu-central-1a")))
		wantCode(t, err, "InsufficientInstanceCapacity")
		a.launch(t, 1, in("eu-central-1b"))
		if zone := *a.launch(t, 1)[0].Placement.AvailabilityZone; zone == "eu-central-1a" {
			t.Errorf("who names no zone got %s", zone)
		}
	})
	t.Run("of one type", func(t *testing.T) {
		local.ClearFaults(t)
		local.Put(t, faults.Fault{Kind: faults.Capacity, Types: []string{"local.full"}})
		_, err := a.ec2.RunInstances(t.Context(), a.launchInput(1, func(in *ec2.RunInstancesInput) { in.InstanceType = "local.full" }))
		wantCode(t, err, "InsufficientInstanceCapacity")
		a.launch(t, 1)
	})
	t.Run("a part of what was wanted", func(t *testing.T) {
		local.ClearFaults(t)
		local.Put(t, faults.Fault{Kind: faults.Capacity, Left: 2})
		if got := a.launch(t, 1, func(in *ec2.RunInstancesInput) { in.MaxCount = aws.Int32(5) }); len(got) != 2 {
			t.Errorf("launched %d, want the 2 that were left", len(got))
		}
		_, err := a.ec2.RunInstances(t.Context(), a.launchInput(1))
		wantCode(t, err, "InsufficientInstanceCapacity")
	})
	t.Run("none for a stopped one", func(t *testing.T) {
		local.ClearFaults(t)
		id := a.running(t, 1)[0]
		must(a.ec2.StopInstances(t.Context(), &ec2.StopInstancesInput{InstanceIds: []string{id}}))(t)
		a.awaitStopped(t, id)
		local.Put(t, faults.Fault{Kind: faults.Capacity})
		_, err := a.ec2.StartInstances(t.Context(), &ec2.StartInstancesInput{InstanceIds: []string{id}})
		wantCode(t, err, "InsufficientInstanceCapacity")
	})
}

func TestFaultInconsistency(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	known := ids(a.launch(t, 1))[0]
	t.Run("a new instance is not known", func(t *testing.T) {
		local.Put(t, faults.Fault{Kind: faults.Unseen, For: "1h", Calls: 1})
		id := *must(a.ec2.RunInstances(t.Context(), a.launchInput(1)))(t).Instances[0].InstanceId
		_, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
		wantCode(t, err, "InvalidInstanceID.NotFound")
		if found := ids(a.find(t, "tag-key", "contract")); slices.Contains(found, id) {
			t.Errorf("lists hold %v, with %s", found, id)
		}
	})
	t.Run("and is known after a while", func(t *testing.T) {
		local.Put(t, faults.Fault{Kind: faults.Unseen, For: "100ms", Calls: 1})
		id := ids(a.launch(t, 1))[0]
		a.eventually(t, "it is known", func() bool { return slices.Contains(ids(a.find(t, "tag-key", "contract")), id) })
		a.describe(t, id)
	})
	t.Run("lists are old", func(t *testing.T) {
		a.awaitRunning(t, known)
		local.Put(t, faults.Fault{Kind: faults.Frozen})
		fresh := ids(a.launch(t, 1))[0]
		must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{known}}))(t)
		found := a.find(t, "tag-key", "contract")
		i := slices.IndexFunc(found, func(i ec2types.Instance) bool { return *i.InstanceId == known })
		if slices.Contains(ids(found), fresh) || i < 0 || found[i].State.Name != ec2types.InstanceStateNameRunning {
			t.Errorf("lists are of now: %v", ids(found))
		}
		local.ClearFaults(t)
		a.awaitTerminated(t, known)
	})
	t.Run("a list is empty", func(t *testing.T) {
		local.Put(t, faults.Fault{Kind: faults.Empty, Calls: 1})
		if found := a.find(t, "tag-key", "contract"); len(found) != 0 {
			t.Errorf("found %v", ids(found))
		}
		if found := a.find(t, "tag-key", "contract"); len(found) == 0 {
			t.Error("the next list is empty too")
		}
	})
}

func TestFaultBoot(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	group := a.group(t, "")
	a.listen(t, group)
	for kind, reasons := range map[faults.Kind][]string{
		faults.NeverBoots: {"unhealthy Target.FailedHealthChecks"},
		// It stands still before it listens, or after.
		faults.Hangs: {"unhealthy Target.FailedHealthChecks", "unhealthy Target.Timeout"},
	} {
		t.Run(string(kind), func(t *testing.T) {
			local.Put(t, faults.Fault{Kind: kind, Launches: 1})
			id := a.running(t, 1)[0]
			if err := a.register(t, group, id); err != nil {
				t.Fatal(err)
			}
			a.eventually(t, "it is unhealthy", func() bool { return slices.Contains(reasons, a.health(t, group, id)) })
			a.eventually(t, "its status check fails", func() bool {
				out := must(a.ec2.DescribeInstanceStatus(t.Context(), &ec2.DescribeInstanceStatusInput{InstanceIds: []string{id}}))(t)
				return len(out.InstanceStatuses) == 1 && out.InstanceStatuses[0].InstanceStatus.Status == ec2types.SummaryStatusImpaired
			})
			must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}}))(t)
			a.awaitTerminated(t, id)
		})
	}
}

func TestFaultSpotNotice(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	id := a.running(t, 1, func(in *ec2.RunInstancesInput) {
		in.InstanceMarketOptions = &ec2types.InstanceMarketOptionsRequest{MarketType: ec2types.MarketTypeSpot}
	})[0]
	shown := a.describe(t, id)
	if shown.InstanceLifecycle != ec2types.InstanceLifecycleTypeSpot {
		t.Errorf("its life cycle is %q, want spot", shown.InstanceLifecycle)
	}
	metadata := a.newMetadata(t, *shown.PrivateIpAddress)
	if status, _ := metadata.get(t, "meta-data/spot/instance-action"); status != http.StatusNotFound {
		t.Errorf("before the notice it reads %d, want 404", status)
	}
	local.SpotNotice(t, id, 6*time.Second)
	if status, text := metadata.get(t, "meta-data/spot/instance-action"); status != http.StatusOK || !strings.Contains(text, `"action": "terminate"`) {
		t.Errorf("after the notice it reads %d %s", status, text)
	}
	a.awaitTerminated(t, id)
	if reason := a.describe(t, id).StateReason; *reason.Code != "Server.SpotInstanceTermination" {
		t.Errorf("the reason is %s", *reason.Code)
	}
}

func TestFaultTargetGroupLost(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	group := a.group(t, "-lost")
	url, _ := a.listen(t, group)
	id := a.running(t, 1)[0]
	if err := a.register(t, group, id); err != nil {
		t.Fatal(err)
	}
	a.awaitInService(t, group, id)
	local.LoseTargetGroup(t, a.name+"-lost")
	_, err := a.elb.DescribeTargetHealth(t.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn})
	wantType[*types.TargetGroupNotFoundException](t, err)
	a.eventually(t, "nobody answers any more", func() bool {
		status, _ := call(t, http.MethodGet, url)
		return status == http.StatusServiceUnavailable
	})
}

// metadata reads what an instance is told, as a program on it would: by version 2 of
// the service.
type metadata struct {
	url, token string
}

// newMetadata waits for the machine: an instance runs a moment before it answers.
func (a account) newMetadata(t *testing.T, address string) metadata {
	t.Helper()
	m := metadata{url: fmt.Sprintf("http://%s:1338/latest/", address)}
	a.eventually(t, "the metadata are served", func() bool {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", fmt.Sprintf("%s:1338", address))
		return err == nil && conn.Close() == nil
	})
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, m.url+"api/token", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("X-aws-ec2-metadata-token-ttl-seconds", "60")
	_, m.token = m.do(t, request)
	return m
}

func (m metadata) get(t *testing.T, path string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.url+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	if m.token != "" {
		request.Header.Set("X-aws-ec2-metadata-token", m.token)
	}
	return m.do(t, request)
}

func (m metadata) do(t *testing.T, request *http.Request) (int, string) {
	t.Helper()
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}
