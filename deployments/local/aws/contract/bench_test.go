package contract_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/ec2"

	"maskfleet/deployments/local/aws"
	"maskfleet/deployments/local/aws/awstest"
)

// BenchmarkListHundred: it must take less than 300 ms.
func BenchmarkListHundred(b *testing.B) {
	local := awstest.Start(b, awstest.Options{Configure: func(c *aws.Config) { c.Images[0].Programs = nil }})
	a := account{clients: connect(b.Context(), b, local.Endpoint, local.AccessKey, local.SecretKey), image: awstest.Image, kind: "local.quarter"}
	const hundred = 100
	if _, err := a.ec2.RunInstances(b.Context(), a.launchInput(hundred)); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		out, err := a.ec2.DescribeInstances(b.Context(), &ec2.DescribeInstancesInput{})
		if err != nil || len(out.Reservations[0].Instances) != hundred {
			b.Fatal(err)
		}
	}
}
