package contract_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"maskfleet/deployments/local/aws"
	"maskfleet/deployments/local/aws/awstest"
)

// guests are the processes that serve at the instances' addresses.
func guests(t *testing.T, addresses ...string) map[string]int {
	t.Helper()
	found := make(map[string]int)
	paths, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		for _, address := range addresses {
			if strings.Contains(string(text), fmt.Sprintf("-address\x00%s:%d\x00", address, awstest.GuestPort)) {
				found[address], _ = strconv.Atoi(filepath.Base(filepath.Dir(path)))
			}
		}
	}
	return found
}

// service is a number of instances behind a balancer.
type service struct {
	url            string
	group          types.TargetGroup
	ids, addresses []string
}

// serving returns when all of them are in service.
func (a account) serving(t *testing.T, count int32) service {
	t.Helper()
	s := service{group: a.group(t, "")}
	s.url, _ = a.listen(t, s.group)
	s.ids = a.running(t, count)
	if err := a.register(t, s.group, s.ids...); err != nil {
		t.Fatal(err)
	}
	a.awaitInService(t, s.group, s.ids...)
	for _, id := range s.ids {
		s.addresses = append(s.addresses, *a.describe(t, id).PrivateIpAddress)
	}
	return s
}

// traffic asks all the time, by several at once, until stop says how many were
// answered, and fails the test for each that was not.
func traffic(t *testing.T, url string) (stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	var answered, failed atomic.Int64
	const atOnce = 4
	for range atOnce {
		clients.Go(func() {
			for ctx.Err() == nil {
				request, _ := http.NewRequestWithContext(context.WithoutCancel(ctx), http.MethodGet, url, http.NoBody)
				response, err := http.DefaultClient.Do(request)
				if err == nil {
					_ = response.Body.Close()
				}
				if err != nil || response.StatusCode != http.StatusOK {
					failed.Add(1)
				}
				answered.Add(1)
			}
		})
	}
	return func() int {
		t.Helper()
		cancel()
		clients.Wait()
		if failed.Load() > 0 {
			t.Errorf("%d of %d requests failed", failed.Load(), answered.Load())
		}
		return int(answered.Load())
	}
}

func TestAPIKilledUnderLoad(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	in := a.launchInput(1)
	before := must(a.ec2.RunInstances(t.Context(), in))(t)
	s := a.serving(t, 2)
	processes := guests(t, s.addresses...)
	stop := traffic(t, s.url)
	a.deregister(t, s.group, s.ids[1])
	local.KillAPI()
	local.StartAPI(t)
	t.Run("instances and their processes are the same", func(t *testing.T) {
		if after := guests(t, s.addresses...); fmt.Sprint(after) != fmt.Sprint(processes) {
			t.Errorf("processes were %v and are %v", processes, after)
		}
		for _, id := range s.ids {
			if state := a.describe(t, id).State.Name; state != ec2types.InstanceStateNameRunning {
				t.Errorf("%s is %s", id, state)
			}
		}
	})
	t.Run("targets are as they were", func(t *testing.T) {
		a.awaitInService(t, s.group, s.ids[0])
		if got := a.health(t, s.group, s.ids[1]); got != "draining Target.DeregistrationInProgress" {
			t.Errorf("the one that was draining is %s", got)
		}
	})
	t.Run("a token still launches once", func(t *testing.T) {
		after := must(a.ec2.RunInstances(t.Context(), in))(t)
		if *after.ReservationId != *before.ReservationId {
			t.Errorf("the repeated call launched %v", ids(after.Instances))
		}
	})
	t.Run("what is asked of instances is done", func(t *testing.T) {
		must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: ids(before.Instances)}))(t)
		a.awaitTerminated(t, ids(before.Instances)...)
	})
	if answered := stop(); answered == 0 {
		t.Error("nobody asked")
	}
}

func TestAPIKilledDuringChanges(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{Configure: func(c *aws.Config) {
		c.Images[0].Programs[0].Command = append(c.Images[0].Programs[0].Command, "-deaf")
	}})
	ending := a.running(t, 1)[0]
	must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{ending}}))(t)
	starting := ids(a.launch(t, 1))[0]
	local.KillAPI()
	local.StartAPI(t)
	a.awaitTerminated(t, ending)
	a.awaitRunning(t, starting)
}

func TestHostKilled(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	s := a.serving(t, 1)
	process := guests(t, s.addresses...)[s.addresses[0]]
	local.KillHost()
	t.Run("its instances die with it", func(t *testing.T) {
		a.eventually(t, "the process is gone", func() bool { return syscall.Kill(process, 0) != nil })
	})
	local.StartHost(t)
	t.Run("they are started again", func(t *testing.T) {
		a.eventually(t, "another process serves", func() bool {
			now := guests(t, s.addresses...)[s.addresses[0]]
			return now != 0 && now != process
		})
		a.awaitInService(t, s.group, s.ids...)
		if status, id := call(t, http.MethodGet, s.url); status != http.StatusOK || id != s.ids[0] {
			t.Errorf("the balancer answers %d from %s", status, id)
		}
	})
}

// TestHostElsewhere: another host has taken the addresses meanwhile.
func TestHostElsewhere(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	lost := a.running(t, 1)[0]
	local.KillAPI()
	local.KillHost()
	local.StartHostElsewhere(t)
	local.StartAPI(t)
	shown := a.describe(t, lost)
	if shown.State.Name != ec2types.InstanceStateNameTerminated || *shown.StateReason.Code != "Server.InternalError" {
		t.Errorf("the instance is %s (%s), want terminated (Server.InternalError)", shown.State.Name, *shown.StateReason.Code)
	}
	a.running(t, 1)
}

func TestBalancerKilled(t *testing.T) {
	t.Parallel()
	a, local := openLocal(t, awstest.Options{})
	s := a.serving(t, 2)
	local.KillBalancer()
	a.eventually(t, "health cannot be told", func() bool { return a.health(t, s.group, s.ids[0]) == "unhealthy Elb.InternalError" })
	local.StartBalancer(t)
	a.awaitInService(t, s.group, s.ids...)
	if status, _ := call(t, http.MethodGet, s.url); status != http.StatusOK {
		t.Errorf("the balancer answers %d", status)
	}
}

func TestProgramKilled(t *testing.T) {
	t.Parallel()
	a, _ := openLocal(t, awstest.Options{})
	s := a.serving(t, 2)
	if err := syscall.Kill(guests(t, s.addresses...)[s.addresses[0]], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	a.awaitHealth(t, s.group, s.ids[0], "unhealthy Target.FailedHealthChecks")
	if state := a.describe(t, s.ids[0]).State.Name; state != ec2types.InstanceStateNameRunning {
		t.Errorf("its instance is %s, want running", state)
	}
}

func TestDeafProgramIsKilled(t *testing.T) {
	t.Parallel()
	a, _ := openLocal(t, awstest.Options{Configure: func(c *aws.Config) {
		c.Images[0].Programs[0].Command = append(c.Images[0].Programs[0].Command, "-deaf")
		c.Shutdown = aws.Duration(100 * time.Millisecond)
	}})
	s := a.serving(t, 1)
	process := guests(t, s.addresses...)[s.addresses[0]]
	must(a.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: s.ids}))(t)
	a.awaitTerminated(t, s.ids...)
	if err := syscall.Kill(process, 0); err == nil {
		t.Errorf("process %d of a terminated instance is there", process)
	}
}
