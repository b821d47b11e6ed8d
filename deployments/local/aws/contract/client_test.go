package contract_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
)

// clients speak to one account.
type clients struct {
	ec2        *ec2.Client
	elb        *elb.Client
	cloudwatch *cloudwatch.Client
}

func connect(ctx context.Context, tb testing.TB, endpoint, accessKey, secretKey string) clients {
	tb.Helper()
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithRegion("eu-central-1"),
		config.WithBaseEndpoint(endpoint),
		config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(accessKey, secretKey, "")),
	)
	if err != nil {
		tb.Fatal(err)
	}
	return over(settings)
}

func over(settings aws.Config) clients {
	return clients{ec2: ec2.NewFromConfig(settings), elb: elb.NewFromConfig(settings), cloudwatch: cloudwatch.NewFromConfig(settings)}
}
