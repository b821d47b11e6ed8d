package contract_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/smithy-go"
	"github.com/google/uuid"

	"maskfleet/deployments/local/aws/awstest"
)

// account is what the tests run against: a stand-in of the test's own, or a real
// account where CONTRACT_AWS=real is set. In a real account CONTRACT_IMAGE names an
// image whose instances answer GET /readyz with 200 at port 8080 and PUT
// /readyz/STATUS by changing that; CONTRACT_TYPE names a type, CONTRACT_KEY a key pair.
// Region and credentials are those of the aws command. It costs some cents and an
// hour; every instance, load balancer and target group that was made is deleted.
type account struct {
	clients
	image, kind, key string
	port             int32         // of a listener
	pace             time.Duration // of looks at what changes
	limit            time.Duration // for a change
	name             string        // prefix of what this test makes
}

func open(t *testing.T) account {
	t.Helper()
	a := account{name: "contract-" + uuid.NewString()[:8]}
	r, meant, err := realFrom(os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	if meant {
		settings, err := config.LoadDefaultConfig(t.Context())
		if err == nil && settings.Region == "" {
			err = errors.New("AWS_REGION is not set, nor a region in AWS's own settings")
		}
		if err != nil {
			t.Fatal(err)
		}
		a.clients = over(settings)
		a.image, a.kind, a.key = r.image, r.kind, r.key
		a.port, a.pace, a.limit = 80, 5*time.Second, 10*time.Minute
		return a
	}
	local := awstest.Start(t, awstest.Options{})
	a.clients = connect(t.Context(), t, local.Endpoint, local.AccessKey, local.SecretKey)
	a.image, a.kind, a.key = awstest.Image, "local.quarter", awstest.KeyPair
	a.port, a.pace, a.limit = int32(local.Ports[0]), 50*time.Millisecond, 3*time.Minute
	return a
}

// real is what the tests need of a real account.
type real struct{ image, kind, key string }

// realFrom reads whether a real account is meant, and what of it. A slip must neither
// test the stand-in instead nor begin what costs money.
func realFrom(getenv func(string) string) (r real, meant bool, err error) {
	switch which := getenv("CONTRACT_AWS"); which {
	case "":
		return real{}, false, nil
	case "real":
	default:
		return real{}, false, fmt.Errorf("CONTRACT_AWS is %q: want real, or nothing for the stand-in", which)
	}
	for name, to := range map[string]*string{"CONTRACT_IMAGE": &r.image, "CONTRACT_TYPE": &r.kind, "CONTRACT_KEY": &r.key} {
		if *to = getenv(name); *to == "" {
			err = errors.Join(err, fmt.Errorf("%s is not set, which a real account needs", name))
		}
	}
	return r, true, err
}

func TestARealAccountIsMeantAsAWhole(t *testing.T) {
	t.Parallel()
	all := map[string]string{"CONTRACT_AWS": "real", "CONTRACT_IMAGE": "ami-1", "CONTRACT_TYPE": "t3.micro", "CONTRACT_KEY": "k"}
	if r, meant, err := realFrom(func(name string) string { return all[name] }); err != nil || !meant || r != (real{"ami-1", "t3.micro", "k"}) {
		t.Errorf("got %+v, %t, %v", r, meant, err)
	}
	if _, meant, err := realFrom(func(string) string { return "" }); err != nil || meant {
		t.Errorf("nothing set: %t, %v", meant, err)
	}
	for name := range all {
		_, _, err := realFrom(func(asked string) string {
			switch {
			case asked != name:
				return all[asked]
			case name == "CONTRACT_AWS":
				return "Real"
			default:
				return ""
			}
		})
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("without %s: %v", name, err)
		}
	}
}

// launch starts instances that end with the test.
func (a account) launch(t *testing.T, count int32, change ...func(*ec2.RunInstancesInput)) []types.Instance {
	t.Helper()
	out, err := a.ec2.RunInstances(t.Context(), a.launchInput(count, change...))
	if err != nil {
		t.Fatal(err)
	}
	a.terminateAtEnd(t, out.Instances)
	return out.Instances
}

func (a account) launchInput(count int32, change ...func(*ec2.RunInstancesInput)) *ec2.RunInstancesInput {
	in := &ec2.RunInstancesInput{
		ImageId: &a.image, InstanceType: types.InstanceType(a.kind), MinCount: aws.Int32(count), MaxCount: aws.Int32(count),
		ClientToken:       aws.String(uuid.NewString()),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeInstance, Tags: []types.Tag{{Key: aws.String("contract"), Value: &a.name}}}},
	}
	for _, change := range change {
		change(in)
	}
	return in
}

func (a account) terminateAtEnd(t *testing.T, instances []types.Instance) {
	t.Helper()
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := a.ec2.TerminateInstances(ctx, &ec2.TerminateInstancesInput{InstanceIds: ids(instances)}); err != nil {
			t.Errorf("terminating what was launched: %v", err)
		}
	})
}

func ids(instances []types.Instance) []string {
	var all []string
	for _, i := range instances {
		all = append(all, *i.InstanceId)
	}
	return all
}

// running launches instances and waits for them with the SDK's own waiter.
func (a account) running(t *testing.T, count int32, change ...func(*ec2.RunInstancesInput)) []string {
	t.Helper()
	launched := ids(a.launch(t, count, change...))
	a.awaitRunning(t, launched...)
	return launched
}

func (a account) awaitRunning(t *testing.T, ids ...string) {
	t.Helper()
	waiter := ec2.NewInstanceRunningWaiter(a.ec2, func(o *ec2.InstanceRunningWaiterOptions) { o.MinDelay, o.MaxDelay = a.pace, a.pace })
	if err := waiter.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids}, a.limit); err != nil {
		t.Fatal(err)
	}
}

func (a account) awaitStopped(t *testing.T, id string) {
	t.Helper()
	waiter := ec2.NewInstanceStoppedWaiter(a.ec2, func(o *ec2.InstanceStoppedWaiterOptions) { o.MinDelay, o.MaxDelay = a.pace, a.pace })
	if err := waiter.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}}, a.limit); err != nil {
		t.Fatal(err)
	}
}

func (a account) awaitTerminated(t *testing.T, ids ...string) {
	t.Helper()
	waiter := ec2.NewInstanceTerminatedWaiter(a.ec2, func(o *ec2.InstanceTerminatedWaiterOptions) { o.MinDelay, o.MaxDelay = a.pace, a.pace })
	if err := waiter.Wait(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: ids}, a.limit); err != nil {
		t.Fatal(err)
	}
}

// describe shows one instance.
func (a account) describe(t *testing.T, id string) types.Instance {
	t.Helper()
	out, err := a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{InstanceIds: []string{id}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Reservations[0].Instances[0]
}

// eventually looks until it is true.
func (a account) eventually(t *testing.T, what string, look func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), a.limit)
	defer cancel()
	for !look() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-time.After(a.pace):
		}
	}
}

// wantCode fails unless the error is AWS's with that code.
func wantCode(t *testing.T, err error, code string) {
	t.Helper()
	var api smithy.APIError
	if !errors.As(err, &api) {
		t.Fatalf("got %v, want the error %s", err, code)
	}
	if api.ErrorCode() != code {
		t.Errorf("got %s (%s), want %s", api.ErrorCode(), api.ErrorMessage(), code)
	}
}

// wantType fails unless the SDK made its own type of the error.
func wantType[T error](t *testing.T, err error) {
	t.Helper()
	var typed T
	if !errors.As(err, &typed) {
		t.Errorf("got %v, want a %T", err, typed)
	}
}

func userData(text string) *string {
	return aws.String(base64.StdEncoding.EncodeToString([]byte(text)))
}

// must gives what a call answered.
func must[T any](out T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
}

// call asks an instance or a balancer by HTTP and gives status and text.
func call(t *testing.T, method, url string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
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
