package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	"golang.org/x/sync/errgroup"
)

// flavour is how the product's programs are compiled.
type flavour string

const (
	plain flavour = ""      // into .local/bin
	race  flavour = "-race" // into .local/bin-race, for tests
)

// target is what one call of the Go tool builds.
type target struct {
	what     string
	module   string // folder of its module below the root
	packages []string
	only     bool // one flavour for all
}

// targets are in the order in which they are built: early ones need no Debian package
// but a compiler, and are compiled while others are installed.
func targets() (early, late []target) {
	early = []target{
		{
			what: "ingest, inference-worker, scaler, manager, setup, nats, aws", module: ".",
			packages: []string{
				"./ingest/cmd/ingest", "./inference-worker/cmd/inference-worker", "./scaler/cmd/scaler", "./manager/cmd/manager",
				"./deployments/setup", "./deployments/local/cmd/nats", "./deployments/local/cmd/outside", "./deployments/local/cmd/aws",
			},
		},
		{what: "s3, the object store", module: "deployments/local/s3", packages: []string{"."}, only: true},
	}
	late = []target{
		{what: "slot, the detector with OpenCV", module: ".", packages: []string{"./inference-worker/cmd/slot"}, only: true},
	}
	return early, late
}

func runBuild(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet("build", flag.ContinueOnError)
	forTests := flags.Bool("race", false, "build the programs that tests start, and install what tests need")
	if err := flags.Parse(args); err != nil {
		return statusMissing
	}
	at, err := findPlace()
	if err != nil {
		return fail(err)
	}
	wanted, as := runtimePackages(), plain
	if *forTests {
		wanted, as = append(wanted, testPackages()...), race
	}
	if err := prepare(ctx, at, steps{os.Stdout}, wanted, as); err != nil {
		return fail(err)
	}
	return statusOK
}

// prepare makes the machine ready: packages, the pages' scripts, programs. What
// is there already costs a second.
func prepare(ctx context.Context, at place, s steps, wanted []debianPackage, as flavour) error {
	if err := os.MkdirAll(filepath.Join(at.dir, "log"), 0o700); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(at.dir, "log", "build.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	missing, err := lookForPackages(ctx, s, wanted)
	if err != nil {
		return err
	}
	if err := fetchWeb(ctx, at, s, log); err != nil {
		return err
	}
	early, late := targets()
	build := func(targets []target) func(context.Context) error {
		return func(ctx context.Context) error { return buildPrograms(ctx, at, s, log, as, targets) }
	}
	switch {
	case len(missing) == 0:
		return build(append(early, late...))(ctx)
	case compilerIsMissing(missing):
		late, early = append(early, late...), nil
	}
	wait := func(installed func() error) error { return s.do("installing", "Debian packages", installed) }
	install := func(ctx context.Context) error { return installPackages(ctx, log, missing) }
	if err := beside(ctx, install, build(early), wait); err != nil {
		return err
	}
	return build(late)(ctx)
}

// compilerIsMissing is when nothing can be compiled before packages are installed: with
// g++ comes a gcc of the same version, and without one Go compiles otherwise.
func compilerIsMissing(missing []debianPackage) bool {
	return slices.ContainsFunc(missing, func(p debianPackage) bool { return p.name == "g++" })
}

// beside compiles while it installs, and then waits for what is left of that. An
// installation that fails ends the compiling, and is what is told. One that goes well is
// not ended by a compiler that fails: dpkg would have to be repaired by hand.
func beside(ctx context.Context, install, compile func(context.Context) error, wait func(installed func() error) error) error {
	installing, meanwhile := errgroup.WithContext(ctx)
	installing.Go(func() error { return install(ctx) })
	failed := compile(meanwhile)
	err := wait(installing.Wait)
	if errors.Is(failed, err) { // it was ended by that
		return err
	}
	return errors.Join(err, failed)
}

func buildPrograms(ctx context.Context, at place, s steps, log io.Writer, as flavour, targets []target) error {
	for _, target := range targets {
		err := s.do("building", target.what, func() error { return target.build(ctx, at, log, as) })
		if err != nil {
			return fmt.Errorf("building %s: %w", target.what, err)
		}
	}
	return nil
}

func (t target) build(ctx context.Context, at place, log io.Writer, as flavour) error {
	bin := t.bin(at, as)
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	return runLogged(ctx, log, exec.CommandContext(ctx, "go", t.args(at, as)...))
}

func (t target) bin(at place, as flavour) string {
	if as == race && !t.only {
		return filepath.Join(at.dir, "bin-race")
	}
	return filepath.Join(at.dir, "bin")
}

// args end the folder with a slash, so that each program in it is named after
// its package.
func (t target) args(at place, as flavour) []string {
	args := []string{"build", "-C", filepath.Join(at.root, t.module)}
	if as == race && !t.only {
		args = append(args, string(race), "-ldflags=-w") // linked in half the time without the debugger's tables
	}
	args = append(args, "-o", t.bin(at, as)+"/")
	return append(args, t.packages...)
}
