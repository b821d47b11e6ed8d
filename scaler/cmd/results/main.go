// Command results plays a load on the product as it runs on one machine, and writes
// docs/results.md; `go tool task results` starts it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"maskfleet/scaler/decide"
	"maskfleet/scaler/results"
)

// What the program ends with.
const (
	statusOK     = 0
	statusFailed = 1
	statusUsage  = 2
)

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	o, err := parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return statusOK
	case err != nil:
		fmt.Fprintf(os.Stderr, "results: %v\n", err)
		return statusUsage
	}
	if err := o.run(ctx); err != nil {
		fmt.Fprintf(os.Stderr, "results: %v\n", err)
		return statusFailed
	}
	return statusOK
}

type options struct {
	play       results.Options
	policies   []decide.Kind
	local, out string
	note       string
	instances  string
	boot       time.Duration
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("results", flag.ContinueOnError)
	flags.StringVar(&o.play.Phases, "phases", "1m@0.3,2m@0.3-2.5,3m@2.5,2m@2.5-0.3,2m@0.3", "the load, as maskfleet load reads it")
	flags.StringVar(&o.play.Folder, "photos", ".local/cache/samples", "folder of the photos that are sent")
	flags.DurationVar(&o.play.Calm, "calm", 5*time.Minute, "how long to wait at most for the fleet to come to its least, before and after the load")
	policies := flags.String("policies", "target-wait,cpu-ratio", "a scenario for each")
	flags.StringVar(&o.instances, "instances", "local.quarter", "type of the instances, where no stack runs yet")
	flags.DurationVar(&o.boot, "boot", 10*time.Second, "how long they boot, where no stack runs yet")
	flags.StringVar(&o.note, "note", "", "a sentence for the page, such as what else the machine was doing")
	flags.StringVar(&o.out, "out", "docs", "folder of results.md")
	flags.StringVar(&o.play.Program, "maskfleet", ".local/bin/maskfleet", "the command that sends the load")
	flags.StringVar(&o.local, "local", ".local/bin/local", "the launcher")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("%q is not known", flags.Arg(0))
	}
	for kind := range strings.SplitSeq(*policies, ",") {
		o.policies = append(o.policies, decide.Kind(strings.TrimSpace(kind)))
	}
	o.play.Told = os.Stdout
	return o, nil
}

func (o options) run(ctx context.Context) (err error) {
	stackFile := filepath.Join(".local", "stack.json")
	stack, running, err := results.ReadStack(stackFile)
	if err != nil {
		return err
	}
	if !running {
		if err := o.launch(ctx, "up", "-detach", "-instances", o.instances, "-boot", o.boot.String()); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, o.launch(context.WithoutCancel(ctx), "down")) }()
		if stack, _, err = results.ReadStack(stackFile); err != nil {
			return err
		}
	}
	site, err := results.Open(ctx, stack, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return err
	}
	defer site.Close()
	var scenarios []results.Scenario
	for _, kind := range o.policies {
		scenario, err := site.Play(ctx, kind, o.play)
		if err != nil {
			return fmt.Errorf("playing %s: %w", kind, err)
		}
		scenarios = append(scenarios, scenario)
		if err := results.Write(o.out, stack, scenarios, o.note); err != nil { // what there is, in case the next one fails
			return err
		}
	}
	return nil
}

// launch runs the launcher, which says what it does.
func (o options) launch(ctx context.Context, args ...string) error {
	cmd := exec.CommandContext(ctx, o.local, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("running %s %s: %w", o.local, args[0], err)
	}
	return nil
}
