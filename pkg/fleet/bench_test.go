package fleet_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"maskfleet/deployments/local/aws/awstest"
	"maskfleet/pkg/fleet"

	standin "maskfleet/deployments/local/aws"
)

// BenchmarkListHundred lists a hundred instances with all that is known of them beside
// EC2's answer, which is to take less than 300 ms, and reports the milliseconds that a
// bare call of the SDK takes in the same run.
//
//	go test -run '^$' -bench ListHundred -benchtime 20x ./pkg/fleet
func BenchmarkListHundred(b *testing.B) {
	w := newWorld(b, awstest.Options{Configure: func(c *standin.Config) { c.Images[0].Programs = nil }})
	group := w.group(b)
	f := w.open(b, func(c *fleet.Config) { c.TargetGroup = group })
	const hundred = 100
	ids := mustGrow(b, f, hundred)
	awaitState(b, f, fleet.StateRunning)
	if err := f.Register(b.Context(), lease(1), ids...); err != nil {
		b.Fatal(err)
	}
	alive := fleet.Heartbeats{}
	for _, id := range ids {
		alive[id] = time.Now()
	}
	var bare time.Duration
	for b.Loop() {
		if got := list(b, f, alive); len(got.Instances) != hundred || got.Targets != nil {
			b.Fatalf("%d instances, %v", len(got.Instances), got.Targets)
		}
		b.StopTimer()
		began := time.Now()
		if _, err := w.ec2.DescribeInstances(b.Context(), &ec2.DescribeInstancesInput{MaxResults: aws.Int32(1000)}); err != nil {
			b.Fatal(err)
		}
		bare += time.Since(began)
		b.StartTimer()
	}
	b.ReportMetric(float64(bare.Milliseconds())/float64(b.N), "bare-ms")
	b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "fleet-ms")
}
