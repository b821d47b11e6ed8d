package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net/url"
	"os"
	"slices"
	"strconv"
	"time"

	"maskfleet/deployments/local/stack"
)

// stopLimit is longer than all parts' own limits together need in practice: the
// worker may take 30 s to finish what it has in hand.
const stopLimit = 75 * time.Second

// mostInstances share this machine: more would not be faster, but it takes some to see
// the fleet grow.
const mostInstances = 4

func runUp(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet("up", flag.ContinueOnError)
	detach := flags.Bool("detach", false, "leave it running in the background")
	fleet := fleetFlags(flags)
	if err := flags.Parse(args); err != nil {
		return statusMissing
	}
	at, err := findPlace()
	if err != nil {
		return fail(err)
	}
	s := steps{os.Stdout}
	if info, running := stack.Running(at.dir); running {
		printRunning(s, info)
		return statusOK
	}
	if err := prepare(ctx, at, s, runtimePackages(), plain); err != nil {
		return fail(err)
	}
	if *detach {
		return runDetached(ctx, at, s, fleet)
	}
	return serve(ctx, at, s, fleet, func(info stack.Info) {
		printReady(s, info)
		s.line("Ctrl-C stops everything; the data stays.")
	})
}

// serve runs the stack until ctx ends or it cannot go on. The start is told to
// starting, all that happens later to the standard output.
func serve(ctx context.Context, at place, starting steps, fleet *stack.Fleet, ready func(stack.Info)) int {
	running, err := stack.Start(ctx, options(at, starting, fleet))
	if errors.Is(err, stack.ErrRunning) {
		info, _ := stack.Running(at.dir)
		printRunning(starting, info)
		return statusOK
	}
	if ctx.Err() != nil {
		return fail(context.Cause(ctx))
	}
	if err != nil {
		return fail(err)
	}
	ready(running.Info())
	later := steps{os.Stdout}
	failure := running.Supervise(ctx, func(text string) {
		later.line("%s  %s", time.Now().Format(time.TimeOnly), text)
	})
	later.line("")
	err = later.do("stopping", "everything", func() error {
		limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopLimit)
		defer cancel()
		return running.Stop(limit)
	})
	if err := errors.Join(failure, err); err != nil {
		return fail(err)
	}
	return statusOK
}

// fleetFlags are how the fleet may differ from the usual one.
func fleetFlags(flags *flag.FlagSet) *stack.Fleet {
	fleet := usualFleet()
	flags.StringVar(&fleet.Type, "instances", fleet.Type, "type of the fleet's instances: local.full, or with one slot each local.one, .half, .quarter, .eighth of a core")
	flags.DurationVar(&fleet.BootDelay, "boot", fleet.BootDelay, "how long an instance boots")
	return fleet
}

// fleetArgs say the same to another process.
func fleetArgs(fleet *stack.Fleet) []string {
	return []string{"-instances", fleet.Type, "-boot", fleet.BootDelay.String()}
}

const wholeMachine = "local.full"

func usualFleet() *stack.Fleet {
	return &stack.Fleet{Max: mostInstances, Type: wholeMachine, BootDelay: time.Second}
}

func options(at place, s steps, fleet *stack.Fleet) stack.Options {
	env := logLevels(os.Getenv("LOG_LEVEL"))
	if fleet.Type != wholeMachine { // a part of a core is kept busy by one slot
		if env["inference-worker"] == nil {
			env["inference-worker"] = make(map[string]string)
		}
		env["inference-worker"]["SLOTS"] = "1"
	}
	return stack.Options{
		Root:  at.root,
		Ports: stack.UsualPorts(),
		Fleet: fleet,
		Env:   env,
		Starting: func(part string) func(error) {
			return s.step("starting", part)
		},
	}
}

// logLevels passes the one setting that a person at the keyboard wants to change
// for all programs at once.
func logLevels(level string) map[string]map[string]string {
	env := make(map[string]map[string]string)
	if level == "" {
		return env
	}
	for _, program := range []string{"setup", "ingest", "inference-worker", "scaler", "manager"} {
		env[program] = map[string]string{"LOG_LEVEL": level}
	}
	return env
}

func printRunning(s steps, info stack.Info) {
	if info.PID == 0 {
		s.line("A stack is already starting here; try again in a moment, or stop it with `go tool task down`.")
		return
	}
	s.line("Already running, since %s (process %d).", info.StartedAt.Local().Format(time.DateTime), info.PID)
	printReady(s, info)
	s.line("Stop it with `go tool task down`.")
}

func printReady(s steps, info stack.Info) {
	s.line("")
	s.line("  pages     %s", info.URLs.Web)
	s.line("  manager   %s", info.URLs.Manager)
	s.line("  login     %s / %s", info.Administrator.Username, info.Administrator.Password)
	if info.URLs.Mail != "" {
		s.line("  mail      %s   what the product sends by e-mail is caught here", info.URLs.Mail)
	}
	if info.URLs.Webhooks != "" {
		s.line("  webhooks  %s   those sent to %s/hooks are caught here", info.URLs.Webhooks, info.URLs.Outside)
	}
	s.line("  broker    %s   user %s; password in stack.json", info.NATS.URL, info.NATS.User)
	s.line("  S3        %s   keys in stack.json", info.S3.Endpoint)
	s.line("  AWS       %s   a stand-in; keys in stack.json", info.AWS.Endpoint)
	// Which of them get requests changes by the second; the balancer knows.
	for _, id := range slices.Sorted(maps.Keys(info.Instances)) {
		s.line("  instance  %s   %s, %s", info.Instances[id].URL(), id, info.Instances[id].Type)
	}
	s.line("  logs      %s", info.LogDir)
	s.line("  scripts   %s/stack.json holds all of this", info.Dir)
	s.line("")
	for _, moved := range movedPorts(info) {
		s.line("  %s", moved)
	}
}

// movedPorts says which of the usual addresses were taken by somebody else.
func movedPorts(info stack.Info) []string {
	usual := stack.UsualPorts()
	var moved []string
	for _, address := range []struct {
		name, url string
		port      int
	}{
		{"the pages are", info.URLs.Web, usual.Web},
		{"the manager is", info.URLs.Manager, usual.Manager},
		{"the broker is", info.NATS.URL, usual.NATS},
		{"S3 is", info.S3.Endpoint, usual.S3},
		{"AWS is", info.AWS.Endpoint, usual.AWS},
	} {
		if address.url != "" && !hasPort(address.url, address.port) {
			moved = append(moved, fmt.Sprintf("Port %d was taken: %s at %s.", address.port, address.name, address.url))
		}
	}
	return moved
}

func hasPort(address string, port int) bool {
	parsed, err := url.Parse(address)
	return err == nil && parsed.Port() == strconv.Itoa(port)
}
