package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
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

// works says whether there is a worker that calls itself by the instance's name.
func (e *env) works(t testing.TB, id string) (bool, error) {
	t.Helper()
	workers, err := e.queue.Workers(t.Context())
	return slices.ContainsFunc(workers, func(w jobqueue.Worker) bool { return w.ID == id }), err
}

// awaitWorker waits until it is among the workers, or gone.
func (e *env) awaitWorker(t *testing.T, id string, there bool) {
	t.Helper()
	eventually(t, fmt.Sprintf("worker %s to be there: %t", id, there), func() error {
		works, err := e.works(t, id)
		if err == nil && works != there {
			err = fmt.Errorf("there: %t", works)
		}
		return err
	})
}

// TestInstanceTakesOver: an instance launched by EC2's API, registered behind the
// balancer, does all the work when the stack's own door and worker have stopped, and
// works on when the API is killed.
func TestInstanceTakesOver(t *testing.T) {
	t.Parallel()
	e := newEnv(t)
	group := e.info.AWS.TargetGroup
	var id string
	e.aws(t, &id, "ec2", "run-instances", "--image-id", e.info.AWS.Image, "--instance-type", "local.full", "--count", "1", "--user-data", "LOG_LEVEL=debug",
		"--query", "Instances[0].InstanceId")
	e.awaitWorker(t, id, true)
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
	e.awaitWorker(t, id, false)
	e.settled(t)
}
