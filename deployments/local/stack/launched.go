package stack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	haproxy "maskfleet/deployments/local/aws/balancer"
	"maskfleet/deployments/local/aws/host"
)

// Instance is one of the fleet: processes that the stand-in for AWS runs.
type Instance struct {
	ID      string         `json:"id"`
	Type    string         `json:"type"`
	Address string         `json:"address"` // its own, on loopback
	PIDs    map[string]int `json:"pids"`    // by program, of those that run
	Logs    string         `json:"logs"`    // folder
}

// URL is where its front door serves.
func (i Instance) URL() string { return doorURL(i.Address) }

const (
	instancesLimit = 2 * time.Minute // for the first ones to serve
	instancesTick  = 100 * time.Millisecond
	followTick     = 500 * time.Millisecond
)

// Instances asks which instances there are: those whose machines are on, whoever
// launched them.
func (s *Stack) Instances(ctx context.Context) ([]Instance, error) {
	machines, err := host.NewClient(s.hostSocket()).Machines(ctx)
	if err != nil {
		return nil, err
	}
	instances := make([]Instance, 0, len(machines))
	for _, m := range machines {
		i := Instance{ID: m.ID, Type: m.Type, Address: m.Address.String(), PIDs: make(map[string]int), Logs: s.instanceLogs(m.ID)}
		for _, program := range m.Programs {
			if program.Exit == "" {
				i.PIDs[program.Name] = program.PID
			}
		}
		instances = append(instances, i)
	}
	return instances, nil
}

// InService asks the balancer for which instances of the fleet it has a server that is
// well, and whether it has any that is not: not well yet or any more, or draining.
func (s *Stack) InService(ctx context.Context) (ids []string, others bool, err error) {
	doors := haproxy.New(haproxy.Config{Socket: s.balancerSocket(), Backend: balancerBackend})
	servers, err := doors.Servers(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, server := range servers {
		id, ours := strings.CutSuffix(server.Name, fmt.Sprintf("-%d", awsDoorPort))
		switch {
		case !ours: // one that the stack started itself
		case server.Status == haproxy.Up:
			ids = append(ids, id)
		default:
			others = true
		}
	}
	slices.Sort(ids)
	return ids, others, nil
}

// see remembers which instances there are for stack.json.
func (s *Stack) see(ctx context.Context) ([]Instance, error) {
	instances, err := s.Instances(ctx)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.launched = instances
	s.mu.Unlock()
	return instances, nil
}

// awaitInstances returns when as many as the fleet's minimum work, and the balancer
// has found the first.
func (s *Stack) awaitInstances(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, instancesLimit)
	defer cancel()
	tick := time.NewTicker(instancesTick)
	defer tick.Stop()
	for {
		err := s.served(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return &StartError{Part: "instances", Err: err, Log: lastLines(logPath(s.logDir(), "scaler"))}
		case <-tick.C:
		}
	}
}

// served is content when clients find all that they should.
func (s *Stack) served(ctx context.Context) error {
	instances, err := s.see(ctx)
	if err != nil {
		return err
	}
	working, why := 0, errors.New("no more were launched")
	for _, i := range instances {
		if err := i.works(ctx); err != nil {
			why = err
			continue
		}
		working++
	}
	if least := s.options.Fleet.Min; working < least {
		return fmt.Errorf("%d of the fleet's least %d instances work: %w", working, least, why)
	}
	return httpReady("http://" + s.at.web + "/readyz")(ctx)
}

// works says whether the front door is open and a slot of the worker lives.
func (i Instance) works(ctx context.Context) error {
	if err := httpReady(i.URL() + "/readyz")(ctx); err != nil {
		return err
	}
	return countReady(fmt.Sprintf("http://%s:%d/metrics", i.Address, awsWorkerPrivatePort), workerReadyMetric)(ctx)
}

// followInstances reports instances that come, serve and go, and keeps stack.json in
// step, until ctx ends.
func (s *Stack) followInstances(ctx context.Context, report func(line string)) {
	known := make(map[string]bool) // those that have been told of as working
	s.mu.Lock()
	before := s.launched
	s.mu.Unlock()
	for _, i := range before {
		known[i.ID] = i.works(ctx) == nil
	}
	tick := time.NewTicker(followTick)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := s.see(ctx)
		if err != nil {
			continue // its host is away, which is reported as any part's end
		}
		for _, line := range s.news(ctx, known, before, now) {
			report(line)
		}
		if !slices.EqualFunc(before, now, Instance.same) {
			if err := s.writeInfo(); err != nil && ctx.Err() == nil {
				report(err.Error())
			}
		}
		before = now
	}
}

// news is what a person is told of the change. known holds the instances that are
// there, and whether they have been seen to work.
func (s *Stack) news(ctx context.Context, known map[string]bool, before, now []Instance) (lines []string) {
	for _, i := range before {
		if !slices.ContainsFunc(now, i.is) {
			delete(known, i.ID)
			lines = append(lines, "instance "+i.ID+" is gone")
		}
	}
	for _, i := range now {
		works, told := known[i.ID]
		if !told {
			known[i.ID] = false
			lines = append(lines, fmt.Sprintf("instance %s starts, %s at %s", i.ID, i.Type, i.Address))
		}
		if !works && i.works(ctx) == nil {
			known[i.ID] = true
			lines = append(lines, fmt.Sprintf("instance %s works, its door is %s", i.ID, i.URL()))
		}
	}
	return lines
}

func (i Instance) is(other Instance) bool { return i.ID == other.ID }

func (i Instance) same(other Instance) bool {
	return i.ID == other.ID && maps.Equal(i.PIDs, other.PIDs)
}

func (s *Stack) instanceLogs(id string) string {
	return filepath.Join(s.dataDir("aws-host"), "instances", id)
}
