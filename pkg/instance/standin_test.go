package instance_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/instance"
	"maskfleet/pkg/testenv"
)

const patience = time.Minute // far more than it takes; machines may be busy

// TestOnAnInstanceOfTheStandIn: a spot instance that wants version 2 of the service
// says who it is, and then that it must go.
func TestOnAnInstanceOfTheStandIn(t *testing.T) {
	t.Parallel()
	cloud := awstest.Start(t, awstest.Options{})
	client := ec2.New(ec2.Options{
		Region: awstest.Region, BaseEndpoint: &cloud.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(cloud.AccessKey, cloud.SecretKey, ""),
	})
	zone := awstest.Region + "b"
	launched, err := client.RunInstances(t.Context(), &ec2.RunInstancesInput{
		ImageId: aws.String(awstest.Image), InstanceType: "local.full", MinCount: aws.Int32(1), MaxCount: aws.Int32(1),
		Placement:             &types.Placement{AvailabilityZone: &zone},
		MetadataOptions:       &types.InstanceMetadataOptionsRequest{HttpTokens: types.HttpTokensStateRequired},
		InstanceMarketOptions: &types.InstanceMarketOptionsRequest{MarketType: types.MarketTypeSpot},
	})
	if err != nil {
		t.Fatal(err)
	}
	machine := launched.Instances[0]
	cfg := settings(t,
		"AWS_EC2_METADATA_SERVICE_ENDPOINT=http://"+net.JoinHostPort(*machine.PrivateIpAddress, "1338"),
		"INSTANCE_METADATA_WAIT="+patience.String(), "SPOT_WATCH_INTERVAL=20ms")
	got, err := instance.Open(t.Context(), cfg, testenv.Logger(t)) // waits for the machine
	if err != nil || got.ID != *machine.InstanceId || got.Zone != zone || !got.Found {
		t.Fatalf("got %+v, %v, want %s in %s", got, err, *machine.InstanceId, zone)
	}

	ctx, stop := context.WithCancel(t.Context())
	notices := make(chan instance.Notice, 10)
	var watching sync.WaitGroup
	watching.Go(func() {
		got.WatchSpot(ctx, testenv.Logger(t), func(_ context.Context, n instance.Notice) { notices <- n })
	})
	before := time.Now()
	cloud.SpotNotice(t, got.ID, 2*time.Minute)
	select {
	case n := <-notices:
		if in := n.Time.Sub(before); n.Action != "terminate" || in < time.Minute || in > 2*time.Minute+patience {
			t.Errorf("told %+v", n)
		}
	case <-time.After(patience):
		t.Error("not told of the notice")
	}
	time.Sleep(200 * time.Millisecond) // ten looks; told once more it would fail, never because the machine is slow
	stop()
	watching.Wait()
	if len(notices) > 0 {
		t.Error("told twice of one notice")
	}
}
