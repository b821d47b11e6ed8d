package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"maskfleet/pkg/job"
	"maskfleet/pkg/jobqueue"
)

// aws types a command to the stand-in and reads what it prints into what to points at.
func (e *env) aws(t *testing.T, to any, args ...string) {
	t.Helper()
	at := e.info.AWS
	cmd := exec.CommandContext(t.Context(), "/usr/bin/aws", append([]string{"--endpoint-url", at.Endpoint, "--output", "json"}, args...)...)
	cmd.Env = []string{
		"PATH=/usr/bin:/bin", "AWS_ACCESS_KEY_ID=" + at.AccessKey, "AWS_SECRET_ACCESS_KEY=" + at.SecretKey,
		"AWS_DEFAULT_REGION=" + at.Region, "AWS_EC2_METADATA_DISABLED=true", "AWS_PAGER=",
	}
	var complaint strings.Builder
	cmd.Stderr = &complaint
	text, err := cmd.Output()
	if err == nil && to != nil {
		err = json.Unmarshal(text, to)
	}
	if err != nil {
		t.Fatalf("aws %s: %v\n%s%s", strings.Join(args, " "), err, text, &complaint)
	}
}

// balance sends what comes to the balancer to a target group, and gives its ARN.
func (e *env) balance(t *testing.T) string {
	t.Helper()
	web, err := url.Parse(e.info.URLs.Web)
	if err != nil {
		t.Fatal(err)
	}
	var subnets []struct {
		SubnetID string `json:"SubnetId"`
		VPCID    string `json:"VpcId"`
	}
	e.aws(t, &subnets, "ec2", "describe-subnets", "--query", "Subnets")
	var group, balancer string
	e.aws(t, &group, "elbv2", "create-target-group", "--name", "doors", "--protocol", "HTTP", "--port", "8080", "--vpc-id", subnets[0].VPCID,
		"--health-check-path", "/readyz", "--health-check-interval-seconds", "5", "--health-check-timeout-seconds", "2", "--healthy-threshold-count", "2",
		"--query", "TargetGroups[0].TargetGroupArn")
	e.aws(t, &balancer, "elbv2", "create-load-balancer", "--name", "web", "--subnets", subnets[0].SubnetID, subnets[1].SubnetID, "--query", "LoadBalancers[0].LoadBalancerArn")
	e.aws(t, nil, "elbv2", "create-listener", "--load-balancer-arn", balancer, "--protocol", "HTTP", "--port", web.Port(), "--default-actions", "Type=forward,TargetGroupArn="+group)
	return group
}

// worker finds the one that calls itself by the instance's name.
func (e *env) worker(t *testing.T, id string) error {
	t.Helper()
	workers, err := e.queue.Workers(t.Context())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(workers, func(w jobqueue.Worker) bool { return w.ID == id }) {
		return fmt.Errorf("no worker %s", id)
	}
	return nil
}

// TestInstanceTakesOver: an instance launched by EC2's API, registered behind the
// balancer, does all the work when the stack's own door and worker have stopped, and
// works on when the API is killed.
func TestInstanceTakesOver(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	group := e.balance(t)
	var id string
	e.aws(t, &id, "ec2", "run-instances", "--image-id", e.info.AWS.Image, "--instance-type", "local.full", "--count", "1", "--user-data", "LOG_LEVEL=debug",
		"--query", "Instances[0].InstanceId")
	eventually(t, "the worker of "+id, func() error { return e.worker(t, id) })
	e.aws(t, nil, "elbv2", "register-targets", "--target-group-arn", group, "--targets", "Id="+id)
	eventually(t, "the door of "+id, func() error {
		var state string
		e.aws(t, &state, "elbv2", "describe-target-health", "--target-group-arn", group, "--query", "TargetHealthDescriptions[0].TargetHealth.State")
		if state != "healthy" {
			return errors.New(state)
		}
		return nil
	})

	e.stop(t, "ingest")
	e.stop(t, "inference-worker")
	photos := e.submit(t, 3, twoFaces())
	e.kill(t, "aws", syscall.SIGKILL)
	e.start(t, "aws")
	photos = append(photos, e.submit(t, 3, twoFaces())...)
	e.awaitAll(t, photos, job.StateSucceeded)

	e.aws(t, nil, "ec2", "terminate-instances", "--instance-ids", id)
	eventually(t, id+" to be gone", func() error {
		if e.worker(t, id) == nil {
			return errors.New("it is among the workers")
		}
		return nil
	})
	e.settled(t)
}
