package e2e

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"maskfleet/deployments/local/stack"
	"maskfleet/pkg/job"
	"maskfleet/pkg/vision/visiontest"
)

// usualFleet is a stack with the product's usual settings, also where those of a stack
// on one machine are others.
func usualFleet(size int) stack.Options {
	return stack.Options{
		Fleet: &stack.Fleet{Min: size, Max: size + 2, Type: "local.half", Policy: sized(size)},
		Env: map[string]map[string]string{
			"scaler":           {"FLEET_INTERVAL": "2s", "LEAST_AGE": "1s"},
			"inference-worker": {"SLOTS": "1"},
		},
	}
}

// BenchmarkInService launches one instance after another and reports the seconds from
// the end of the boot delay, when its programs start, until the balancer sends it
// requests, and until its worker has given a sign of life: 2 s at most. It also reports
// how long the scaler took from the wish to the launch.
//
//	go test -run '^$' -bench InService -benchtime 5x ./deployments/local/e2e
func BenchmarkInService(b *testing.B) {
	e := startEnv(b, usualFleet(1))
	size := 1
	var toLaunch, toDoor, toWorker []time.Duration
	for b.Loop() {
		before := e.instances(b)
		size++
		asked := time.Now()
		e.resize(b, size)
		var id string
		eventually(b, "a launch", func() error {
			for now := range e.instances(b) {
				if _, old := before[now]; !old {
					id = now
					return nil
				}
			}
			return errors.New("nobody new")
		})
		toLaunch = append(toLaunch, time.Since(asked))
		eventually(b, "programs", func() error {
			if len(e.instances(b)[id].PIDs) == 0 {
				return errors.New("none yet")
			}
			return nil
		})
		started := time.Now()
		door, worker := time.Duration(0), time.Duration(0)
		eventually(b, "service", func() error {
			if served, _, err := e.InService(b.Context()); door == 0 && err == nil && slices.Contains(served, id) {
				door = time.Since(started)
			}
			if works, err := e.works(b, id); worker == 0 && err == nil && works {
				worker = time.Since(started)
			}
			if door == 0 || worker == 0 {
				return fmt.Errorf("door after %s, worker after %s", door, worker)
			}
			return nil
		})
		toDoor, toWorker = append(toDoor, door), append(toWorker, worker)
		if size == 3 { // no more share this machine
			size = 1
			e.resize(b, size)
			e.awaitSize(b, size)
		}
	}
	for unit, values := range map[string][]time.Duration{"launch-s": toLaunch, "door-s": toDoor, "worker-s": toWorker} {
		b.ReportMetric(median(values).Seconds(), unit)
	}
	b.ReportMetric(max(slices.Max(toDoor), slices.Max(toWorker)).Seconds(), "longest-s")
}

// BenchmarkInstanceKilled kills all processes of an instance that has photos in hand
// and reports the seconds until the scaler has given it up (15 at most), until another
// one is launched, and until all photos are done.
//
//	go test -run '^$' -bench InstanceKilled -benchtime 5x ./deployments/local/e2e
func BenchmarkInstanceKilled(b *testing.B) {
	e := startEnv(b, usualFleet(3))
	nc := e.operator(b)
	photo := visiontest.JPEG(1280, 960)
	var seen, done []time.Duration
	for b.Loop() {
		e.awaitSize(b, 3)
		photos := e.submit(b, 6, photo)
		here := e.instances(b)
		victim := slices.Sorted(maps.Keys(here))[0]
		for _, pid := range here[victim].PIDs {
			if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
				b.Fatal(err)
			}
		}
		began := time.Now()
		eventually(b, "the scaler to give it up", func() error {
			if role := role(b, nc, victim); role == "ready" {
				return fmt.Errorf("it is %s", role)
			}
			return nil
		})
		seen = append(seen, time.Since(began))
		eventually(b, "all photos", func() error {
			for _, id := range photos {
				if p, err := e.store.Find(b.Context(), id); err != nil || p.Row.State != job.StateSucceeded {
					return fmt.Errorf("%s: %s, %w", id, p.Row.State, err)
				}
			}
			return nil
		})
		done = append(done, time.Since(began))
	}
	b.ReportMetric(median(seen).Seconds(), "seen-s")
	b.ReportMetric(slices.Max(seen).Seconds(), "seen-longest-s")
	b.ReportMetric(slices.Max(done).Seconds(), "photos-longest-s")
}

// role asks the scaler how an instance counts; gone if it has none of the kind.
func role(tb testing.TB, nc *nats.Conn, id string) string {
	tb.Helper()
	var answer struct {
		Instances []struct {
			Role string `json:"role"`
		} `json:"instances"`
	}
	if code := command(tb, nc, "scaler.instances", fmt.Sprintf(`{"id":%q}`, id), nil, &answer); code != "" {
		return "ready" // nobody answers for a moment
	}
	if len(answer.Instances) == 0 {
		return "gone"
	}
	return answer.Instances[0].Role
}

// awaitSize waits until so many instances are there and all of them work.
func (e *env) awaitSize(tb testing.TB, size int) {
	tb.Helper()
	eventually(tb, fmt.Sprintf("%d instances in service", size), func() error {
		served, others, err := e.InService(tb.Context())
		if err != nil {
			return err
		}
		here := slices.Sorted(maps.Keys(e.instances(tb)))
		if len(here) != size || others || !slices.Equal(served, here) {
			return fmt.Errorf("instances %v, in service %v", here, served)
		}
		for _, id := range here {
			if works, err := e.works(tb, id); err != nil || !works {
				return fmt.Errorf("the worker of %s: %t, %w", id, works, err)
			}
		}
		return nil
	})
}
