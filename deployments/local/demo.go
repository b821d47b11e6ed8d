package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"maskfleet/deployments/local/samples"
	"maskfleet/deployments/local/stack"
)

// demoInFlight is how many photos the demo has with the product at a time: enough
// to keep the slots of one machine busy, and no thousand open files.
const demoInFlight = 32

// errSomeFailed is what the table has already said.
var errSomeFailed = errors.New("not every photo succeeded")

// runDemo sends photos through a running stack, started if there is none, and
// prints what came of them. Its arguments are files and folders; without any, the
// sample photos are taken.
func runDemo(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.Usage = func() {
		fmt.Fprintln(flags.Output(), "usage: local demo [PATH...]   photos, or folders of photos; without any: the samples")
	}
	if err := flags.Parse(args); err != nil {
		return statusMissing
	}
	at, err := findPlace()
	if err != nil {
		return fail(err)
	}
	switch err := demo(ctx, at, steps{os.Stdout}, flags.Args()); {
	case errors.Is(err, errSomeFailed):
		return statusFailed
	case err != nil:
		return fail(err)
	default:
		return statusOK
	}
}

// runSamples fetches the sample photos for whoever sends them another way.
func runSamples(ctx context.Context, _ []string) int {
	at, err := findPlace()
	if err == nil {
		_, err = samplePhotos(ctx, at, steps{os.Stdout})
	}
	if err != nil {
		return fail(err)
	}
	return statusOK
}

func demo(ctx context.Context, at place, s steps, paths []string) error {
	photos, err := findPhotos(paths) // first, so that a wrong path costs no waiting
	if err != nil {
		return err
	}
	info, running := stack.Running(at.dir)
	if running && info.PID == 0 {
		return errors.New("a stack is already starting here; try again in a moment")
	}
	if !running {
		if err := prepare(ctx, at, s, runtimePackages(), plain); err != nil {
			return err
		}
	}
	if len(paths) == 0 {
		if photos, err = samplePhotos(ctx, at, s); err != nil {
			return err
		}
	}
	if !running {
		if info, err = startDetached(ctx, at, s, usualFleet()); err != nil {
			return err
		}
	}
	return submitAndShow(ctx, s, info, photos)
}

// samplePhotos lie where the stack serves them as a site elsewhere would.
func samplePhotos(ctx context.Context, at place, s steps) ([]demoPhoto, error) {
	var paths []string
	err := s.do("fetching", "sample photos, drawing masks onto them", func() (err error) {
		paths, err = samples.Ensure(ctx, filepath.Join(at.dir, "cache", "samples"))
		return err
	})
	if errors.Is(err, exec.ErrNotFound) {
		return nil, &missingError{"npm was not found: please install Node.js 20 or newer with npm, then try again."}
	}
	if err != nil {
		return nil, err
	}
	return findPhotos(paths)
}

func submitAndShow(ctx context.Context, s steps, info stack.Info, photos []demoPhoto) error {
	s.line("")
	shown := newProgress(os.Stdout, len(photos))
	began := time.Now()
	outcomes := submitAll(ctx, newDoor(info.URLs.Web, info.APIKey), photos, shown)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	printOutcomes(s, outcomes, time.Since(began))
	s.line("")
	if info.URLs.Outside != "" {
		s.line("To try a link, take that of a sample photo at %s.", info.URLs.Outside)
	}
	s.line("Look at the photos with their boxes, and at the workers and the queue:")
	printReady(s, info)
	s.line("Stop it with `go tool task down`; the data stays.")
	for _, o := range outcomes {
		if o.failure != "" {
			return errSomeFailed
		}
	}
	return nil
}

// submitAll gives the outcomes in the order of the photos.
func submitAll(ctx context.Context, d *door, photos []demoPhoto, shown *progress) []outcome {
	outcomes := make([]outcome, len(photos))
	var all errgroup.Group
	all.SetLimit(demoInFlight)
	for i, photo := range photos {
		all.Go(func() error {
			outcomes[i] = d.detect(ctx, photo)
			shown.finished(outcomes[i])
			return nil
		})
	}
	_ = all.Wait() // every failure is an outcome
	shown.end()
	return outcomes
}
