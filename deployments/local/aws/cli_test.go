package aws_test

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	"maskfleet/deployments/local/aws/awstest"
)

// command is Debian's aws, another client that AWS has written. It speaks to
// CloudWatch by forms where the SDK takes CBOR.
type command struct {
	stand *awstest.AWS
}

// run gives what the command prints, read from its JSON into what to points at.
func (c command) run(t *testing.T, to any, args ...string) {
	t.Helper()
	aws := exec.CommandContext(t.Context(), "/usr/bin/aws", append([]string{"--endpoint-url", c.stand.Endpoint, "--output", "json"}, args...)...)
	aws.Env = []string{
		"PATH=/usr/bin:/bin", "AWS_ACCESS_KEY_ID=" + c.stand.AccessKey, "AWS_SECRET_ACCESS_KEY=" + c.stand.SecretKey,
		"AWS_DEFAULT_REGION=" + awstest.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
	}
	var complaint strings.Builder
	aws.Stderr = &complaint
	text, err := aws.Output()
	if err != nil {
		t.Fatalf("aws %s: %v (install the package awscli?)\n%s", strings.Join(args, " "), err, &complaint)
	}
	if to == nil {
		return
	}
	if err := json.Unmarshal(text, to); err != nil {
		t.Fatalf("reading what aws %s prints: %v\n%s", strings.Join(args, " "), err, text)
	}
}

// await asks until the list that is printed is the wanted one.
func (c command) await(t *testing.T, want string, args ...string) {
	t.Helper()
	for ends := time.Now().Add(time.Minute); ; {
		var got []string
		c.run(t, &got, args...)
		if fmt.Sprint(got) == want {
			return
		}
		if time.Now().After(ends) {
			t.Fatalf("aws %s prints %v, want %s", strings.Join(args, " "), got, want)
		}
	}
}

// TestCommandLine types what docs/aws.md shows.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	stand := awstest.Start(t, awstest.Options{})
	aws := command{stand}

	var launched struct {
		Instances []struct {
			InstanceID string `json:"InstanceId"`
		}
	}
	aws.run(t, &launched, "ec2", "run-instances", "--image-id", awstest.Image, "--instance-type", "local.quarter", "--count", "2",
		"--tag-specifications", "ResourceType=instance,Tags=[{Key=pool,Value=workers}]", "--user-data", "A=b")
	aws.await(t, "[running running]", "ec2", "describe-instances", "--filters", "Name=tag:pool,Values=workers", "--query", "Reservations[].Instances[].State.Name")

	group := aws.targetGroup(t, launched.Instances[0].InstanceID)
	aws.await(t, "[healthy]", "elbv2", "describe-target-health", "--target-group-arn", group, "--query", "TargetHealthDescriptions[].TargetHealth.State")
	aws.metrics(t)
}

// targetGroup makes a group with one target behind a balancer.
func (c command) targetGroup(t *testing.T, instance string) string {
	t.Helper()
	var subnets []struct {
		SubnetID string `json:"SubnetId"`
		VpcID    string `json:"VpcId"`
	}
	c.run(t, &subnets, "ec2", "describe-subnets", "--query", "Subnets")
	var group, balancer string
	c.run(t, &group, "elbv2", "create-target-group", "--name", "doors", "--protocol", "HTTP", "--port", fmt.Sprint(awstest.GuestPort), "--vpc-id", subnets[0].VpcID,
		"--health-check-path", "/readyz", "--health-check-interval-seconds", "5", "--health-check-timeout-seconds", "2", "--healthy-threshold-count", "2",
		"--query", "TargetGroups[0].TargetGroupArn")
	c.run(t, &balancer, "elbv2", "create-load-balancer", "--name", "web", "--subnets", subnets[0].SubnetID, subnets[1].SubnetID, "--query", "LoadBalancers[0].LoadBalancerArn")
	c.run(t, nil, "elbv2", "create-listener", "--load-balancer-arn", balancer, "--protocol", "HTTP", "--port", fmt.Sprint(c.stand.Ports[0]), "--default-actions", "Type=forward,TargetGroupArn="+group)
	c.run(t, nil, "elbv2", "register-targets", "--target-group-arn", group, "--targets", "Id="+instance)
	return group
}

func (c command) metrics(t *testing.T) {
	t.Helper()
	at := time.Now().UTC().Add(-5 * time.Minute).Truncate(time.Minute)
	c.run(t, nil, "cloudwatch", "put-metric-data", "--namespace", "Maskfleet", "--metric-name", "QueueDepth", "--dimensions", "Lane=batch", "--value", "42", "--timestamp", at.Format(time.RFC3339))
	var values []float64
	c.run(t, &values, "cloudwatch", "get-metric-data", "--start-time", at.Format(time.RFC3339), "--end-time", at.Add(time.Minute).Format(time.RFC3339),
		"--metric-data-queries", `[{"Id":"depth","MetricStat":{"Metric":{"Namespace":"Maskfleet","MetricName":"QueueDepth","Dimensions":[{"Name":"Lane","Value":"batch"}]},"Period":60,"Stat":"Maximum"}}]`,
		"--query", "MetricDataResults[0].Values")
	if fmt.Sprint(values) != "[42]" {
		t.Errorf("the metric's values are %v, want 42", values)
	}
	var average float64
	c.run(t, &average, "cloudwatch", "get-metric-statistics", "--namespace", "Maskfleet", "--metric-name", "QueueDepth", "--dimensions", "Name=Lane,Value=batch",
		"--start-time", at.Format(time.RFC3339), "--end-time", at.Add(time.Minute).Format(time.RFC3339), "--period", "60", "--statistics", "Average", "--query", "Datapoints[0].Average")
	if average != 42 {
		t.Errorf("the metric's average is %v, want 42", average)
	}
}
