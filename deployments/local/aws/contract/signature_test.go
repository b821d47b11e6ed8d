package contract_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

func TestSignature(t *testing.T) {
	t.Parallel()
	a := open(t)
	right, err := a.ec2.Options().Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		key        aws.Credentials
		ec2, other string
	}{
		"wrong secret": {aws.Credentials{AccessKeyID: right.AccessKeyID, SecretAccessKey: "guessed", SessionToken: right.SessionToken}, "AuthFailure", "SignatureDoesNotMatch"},
		"unknown key":  {aws.Credentials{AccessKeyID: "AKIAIOSFODNN7NOBODYS", SecretAccessKey: "guessed"}, "AuthFailure", "InvalidClientTokenId"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			// Clients of their own: one that has signed keeps the key it made of the secret.
			wrong := over(aws.Config{
				Region: a.ec2.Options().Region, BaseEndpoint: a.ec2.Options().BaseEndpoint,
				Credentials: credentials.StaticCredentialsProvider{Value: c.key},
			})
			_, err := wrong.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{})
			wantCode(t, err, c.ec2)
			_, err = wrong.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
			wantCode(t, err, c.other)
			_, err = wrong.cloudwatch.ListMetrics(t.Context(), &cloudwatch.ListMetricsInput{})
			wantCode(t, err, c.other)
		})
	}
	t.Run("each call has a number", func(t *testing.T) {
		seen := make(map[string]bool)
		for range 2 {
			out := must(a.ec2.DescribeInstances(t.Context(), &ec2.DescribeInstancesInput{}))(t)
			id, found := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
			if !found || seen[id] {
				t.Errorf("the call has the number %q, want one of its own", id)
			}
			seen[id] = true
		}
	})
}
