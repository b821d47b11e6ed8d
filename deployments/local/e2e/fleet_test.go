package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
)

// fleetOptions are a stack whose instances the scaler launches, with intervals a tenth
// of the usual ones.
func fleetOptions(fleet stack.Fleet, settings ...setting) stack.Options {
	environ := quick()
	environ["scaler"] = map[string]string{
		"LOG_LEVEL": "debug", "LEASE_RENEWAL": "500ms", "LEAST_AGE": "2s",
		"FLEET_CALL_TIMEOUT": "3s", "FLEET_SILENCE": "10s", "FLEET_CHANGE_RATE": "20",
	}
	for _, part := range []string{"setup", "ingest", "inference-worker", "manager", "scaler"} {
		environ[part]["PRESENCE_TTL"] = "5s"
	}
	environ["ingest"]["HEARTBEAT"] = "500ms"
	for _, s := range settings {
		if environ[s.part] == nil {
			environ[s.part] = map[string]string{}
		}
		environ[s.part][s.name] = s.value
	}
	return stack.Options{Env: environ, Fleet: &fleet}
}

// instances asks which there are.
func (e *env) instances(t testing.TB) map[string]stack.Instance {
	t.Helper()
	listed, err := e.Instances(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]stack.Instance)
	for _, i := range listed {
		all[i.ID] = i
	}
	return all
}

// awaitFleet waits until exactly so many instances are there, all of them in service
// and nobody else, and gives their ids.
func (e *env) awaitFleet(t *testing.T, size int) []string {
	t.Helper()
	var ids []string
	eventually(t, fmt.Sprintf("%d instances in service", size), func() error {
		served, others, err := e.InService(t.Context())
		if err != nil {
			return err
		}
		ids = slices.Sorted(maps.Keys(e.instances(t)))
		if len(ids) != size || others || !slices.Equal(served, ids) {
			return fmt.Errorf("instances %v, in service %v, and others: %t", ids, served, others)
		}
		return nil
	})
	return ids
}

// TestFleetIsAllThereIs: without an instance of its own the stack starts as many as the
// fleet's minimum, behind a load balancer that nobody had to make; nothing of them
// outlives a launcher that is killed, and the next one finds them again and no others.
func TestFleetIsAllThereIs(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	launcher := exec.Command(os.Args[0], "-test.run=^TestFleetLauncher$")
	launcher.Env = append(os.Environ(), fleetLauncherDir+"="+dir)
	launcher.Stderr = os.Stderr
	output, err := launcher.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := launcher.Start(); err != nil {
		t.Fatal(err)
	}
	var before stack.Info
	if err := json.NewDecoder(bufio.NewReader(output)).Decode(&before); err != nil {
		t.Fatalf("launcher did not say what it started: %v", err)
	}
	if err := launcher.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = launcher.Wait()
	if len(before.Instances) != 2 {
		t.Errorf("stack.json has instances %v, want two", before.Instances)
	}
	eventually(t, "all that the launcher started to be gone", func() error {
		for name, part := range before.Parts {
			if alive(part.PID) {
				return fmt.Errorf("%s lives", name)
			}
		}
		for id, instance := range before.Instances {
			for program, pid := range instance.PIDs {
				if len(instance.PIDs) != 2 || alive(pid) {
					return fmt.Errorf("%s of %s lives: %v", program, id, instance.PIDs)
				}
			}
		}
		return nil
	})

	options := twoInstances()
	options.Dir = dir
	e := startEnv(t, options)
	ids := e.awaitFleet(t, 2)
	if want := slices.Sorted(maps.Keys(before.Instances)); !slices.Equal(ids, want) {
		t.Errorf("instances %v after the launcher was killed, before %v", ids, want)
	}
	var groups []string
	e.aws(t, &groups, "elbv2", "describe-target-groups", "--query", "TargetGroups[].TargetGroupArn")
	if !slices.Equal(groups, []string{e.info.AWS.TargetGroup}) {
		t.Errorf("target groups %v, want %s alone", groups, e.info.AWS.TargetGroup)
	}
	e.awaitAll(t, e.submit(t, 4, twoFaces()), job.StateSucceeded)
	e.settled(t)
}

func twoInstances() stack.Options {
	return fleetOptions(stack.Fleet{Min: 2}, setting{"inference-worker", "SLOTS", "1"})
}

const fleetLauncherDir = "MASKFLEET_TEST_FLEET_LAUNCHER_DIR"

// TestFleetLauncher is the second process of the test above, and passes at once
// everywhere else.
func TestFleetLauncher(t *testing.T) {
	dir := os.Getenv(fleetLauncherDir)
	if dir == "" {
		return
	}
	options := twoInstances()
	options.Root, options.Dir = root(t), dir
	options.Bin = binaries(t, options.Root)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	s, err := stack.Start(ctx, options)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(s.Info())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "launcher:", err)
		t.FailNow()
	}
	select {}
}

// alive is false for a zombie.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if errors.Is(err, os.ErrNotExist) {
		return false
	}
	_, state, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(state, "Z")
}
