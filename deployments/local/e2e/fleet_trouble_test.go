package e2e

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
)

// sized is a policy document that keeps the fleet at a size.
func sized(size int) string {
	return fmt.Sprintf(`{"format":1,"policy":"manual","min":1,"max":8,"manual":{"size":%d},"tick_seconds":0.5}`, size)
}

// resize pins the fleet to a size, as an operator types it.
func (e *env) resize(t testing.TB, size int) {
	t.Helper()
	var answer struct{ Size int }
	request := fmt.Sprintf(`{"size":%d,"until_released":true}`, size)
	if code := command(t, e.operator(t), "scaler.resize", request, nil, &answer); code != "" || answer.Size != size {
		t.Fatalf("resize to %d: %s, %+v", size, code, answer)
	}
}

// fault asks the stand-in for something to go wrong.
func (e *env) fault(t *testing.T, fault string) {
	t.Helper()
	response, err := e.web.Post(e.info.AWS.Control+"/faults", "application/json", strings.NewReader(fault))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusNoContent {
		t.Fatalf("asking for %s: %s", fault, response.Status)
	}
}

// ever is every instance that was launched by anybody, those that have ended, too: the
// stand-in still shows them.
func (e *env) ever(t *testing.T) (ids []string) {
	t.Helper()
	e.aws(t, &ids, "ec2", "describe-instances", "--query", "Reservations[].Instances[].InstanceId")
	return ids
}

// noneLaunchedBut holds that so many were launched since, and no more.
func (e *env) noneLaunchedBut(t *testing.T, want int, before []string) {
	t.Helper()
	if now := e.ever(t); len(now) != len(before)+want {
		t.Errorf("%d instances were launched, want %d: there ever were %v", len(now)-len(before), want, now)
	}
}

// traffic asks the front doors through the balancer, by 32 at once, until so many
// requests were answered and stop has been called. It fails the test for each that was
// not 200.
func (e *env) traffic(t *testing.T, least int64) (stop func()) {
	t.Helper()
	const atOnce = 32
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: atOnce}, Timeout: patience}
	var asked atomic.Int64
	var stopped atomic.Bool
	var clients sync.WaitGroup
	for range atOnce {
		clients.Go(func() {
			for asked.Add(1) <= least || !stopped.Load() {
				if err := e.ask(t.Context(), client); err != nil {
					t.Errorf("a request under load: %v", err)
					return
				}
			}
		})
	}
	return func() {
		t.Helper()
		stopped.Store(true)
		clients.Wait()
		t.Logf("%d requests", asked.Load()-atOnce)
	}
}

func (e *env) ask(ctx context.Context, client *http.Client) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, e.info.URLs.Web+"/v1/limits", http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+e.info.APIKey)
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", response.Status, text)
	}
	return err
}

// TestFleetInTrouble: what a fleet must bear, one after the other on the same stack.
// Whatever happens, no request fails that need not, no photo is lost or charged, no
// instance is launched twice or forgotten.
func TestFleetInTrouble(t *testing.T) {
	t.Parallel()
	e := startEnv(t, fleetOptions(stack.Fleet{Min: 4, Policy: sized(4)}, setting{"inference-worker", "SLOTS", "1"}))
	for _, trouble := range []struct {
		name string
		test func(*testing.T, *env)
	}{
		{"two of four drained under load", drainedUnderLoad},
		{"AWS restarted under load", awsRestarted},
		{"an instance killed with photos in hand", instanceKilled},
		{"scaler killed while it drains", scalerKilledDraining},
		{"scaler killed while it launches", scalerKilledLaunching},
	} {
		began := time.Now()
		t.Run(trouble.name, func(t *testing.T) { trouble.test(t, e) })
		t.Logf("%s: %s", trouble.name, time.Since(began).Round(time.Millisecond))
	}
	e.settled(t)
}

// succeedUncharged waits for photos and holds that each cost one attempt.
func (e *env) succeedUncharged(t *testing.T, ids []job.ID) {
	t.Helper()
	for _, p := range e.awaitAll(t, ids, job.StateSucceeded) {
		if p.Row.Attempts != 1 {
			t.Errorf("photo %s was charged %d attempts, want 1", p.ID, p.Row.Attempts)
		}
	}
}

func drainedUnderLoad(t *testing.T, e *env) {
	e.awaitFleet(t, 4)
	before := e.ever(t)
	const requests = 10_000
	stop := e.traffic(t, requests)
	photos := e.submit(t, 24, faultyPhoto(t, "slow=300ms"))
	e.resize(t, 2)
	e.awaitFleet(t, 2)
	stop()
	e.succeedUncharged(t, photos)
	e.noneLaunchedBut(t, 0, before)
}

func awsRestarted(t *testing.T, e *env) {
	before := e.awaitFleet(t, 2)
	stop := e.traffic(t, 0)
	photos := e.submit(t, 4, faultyPhoto(t, "slow=300ms"))
	e.kill(t, "aws", syscall.SIGKILL)
	photos = append(photos, e.submit(t, 4, faultyPhoto(t, "slow=300ms"))...)
	e.start(t, "aws")
	if after := e.awaitFleet(t, 2); !slices.Equal(after, before) {
		t.Errorf("instances %v, before the restart %v", after, before)
	}
	e.resize(t, 3)
	e.awaitFleet(t, 3)
	stop()
	e.succeedUncharged(t, photos)
}

func instanceKilled(t *testing.T, e *env) {
	e.awaitFleet(t, 3)
	photos := e.submit(t, 12, faultyPhoto(t, "slow=1s"))
	victim := ""
	eventually(t, "a photo in hand of an instance", func() error {
		for _, id := range photos {
			if p := e.photo(t, id); p.Row.State == job.StateProcessing {
				victim = p.WorkerID
				return nil
			}
		}
		return fmt.Errorf("none of %d", len(photos))
	})
	for program, pid := range e.instances(t)[victim].PIDs {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Errorf("killing %s of %s: %v", program, victim, err)
		}
	}
	began := time.Now()
	eventually(t, "another in its place", func() error {
		if here := e.instances(t); len(here) < 4 && here[victim].ID != "" {
			return fmt.Errorf("%v", slices.Sorted(maps.Keys(here)))
		}
		return nil
	})
	t.Logf("another was launched %s after the loss", time.Since(began).Round(time.Millisecond))
	e.awaitAll(t, photos, job.StateSucceeded)
	if ids := e.awaitFleet(t, 3); slices.Contains(ids, victim) {
		t.Errorf("%s is in service again", victim)
	}
}

func scalerKilledDraining(t *testing.T, e *env) {
	before := e.awaitFleet(t, 3)
	ever := e.ever(t)
	photos := e.submit(t, 9, faultyPhoto(t, "slow=1s"))
	e.resize(t, 2)
	eventually(t, "somebody to drain", func() error {
		workers, err := e.queue.Workers(t.Context())
		if err != nil {
			return err
		}
		for _, w := range workers {
			if w.Draining {
				return nil
			}
		}
		return fmt.Errorf("nobody of %d", len(workers))
	})
	e.kill(t, "scaler", syscall.SIGKILL)
	e.start(t, "scaler")
	after := e.awaitFleet(t, 2)
	for _, id := range after {
		if !slices.Contains(before, id) {
			t.Errorf("%s is new", id)
		}
	}
	e.noneLaunchedBut(t, 0, ever)
	e.succeedUncharged(t, photos)
}

func scalerKilledLaunching(t *testing.T, e *env) {
	e.awaitFleet(t, 2)
	ever := e.ever(t)
	e.fault(t, `{"kind":"lost-answer","operations":["RunInstances"],"calls":3}`) // all tries of one call
	e.resize(t, 4)
	eventually(t, "a launch", func() error {
		if here := e.instances(t); len(here) == 2 {
			return fmt.Errorf("%d instances as before", len(here))
		}
		return nil
	})
	e.kill(t, "scaler", syscall.SIGKILL)
	e.start(t, "scaler")
	e.awaitFleet(t, 4)
	e.noneLaunchedBut(t, 2, ever)
}
