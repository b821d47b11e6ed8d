package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// Exit statuses of the launcher.
const (
	statusOK      = 0
	statusFailed  = 1
	statusMissing = 2 // something must be installed by the person, who is told how; also wrong usage
)

// command is one word after `local`. It prints its own errors.
type command struct {
	name  string
	about string // empty: not for people
	run   func(ctx context.Context, args []string) int
}

func commands() []command {
	return []command{
		{"up", "start everything and stay; -detach leaves it running, -instances and -boot shape the fleet", runUp},
		{"samples", "fetch the sample photos, if they are not there", runSamples},
		{"demo", "send sample photos through it and print a table; PATH... for your own", runDemo},
		{"down", "stop it", runDown},
		{"clean", "stop it and forget its data", runClean},
		{"build", "install what is missing and build all programs; -race for those that tests start", runBuild},
		{backgroundCommand, "", runBackground},
	}
}

func main() { os.Exit(run(os.Args[1:])) }

// run gives the first interrupt to the command as the end of its context; a
// second ends the process at once, and all its children with it.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	context.AfterFunc(ctx, stop)
	if len(args) > 0 {
		for _, command := range commands() {
			if command.name == args[0] {
				return command.run(ctx, args[1:])
			}
		}
	}
	fmt.Fprintln(os.Stderr, "usage: local COMMAND [ARGUMENTS]")
	for _, command := range commands() {
		if command.about != "" {
			fmt.Fprintf(os.Stderr, "  %-7s %s\n", command.name, command.about)
		}
	}
	return statusMissing
}

// place is where the launcher works.
type place struct {
	root string // of the repository
	dir  string // root/.local: all that the stack writes
}

// findPlace walks up from the working directory to the repository's root.
func findPlace() (place, error) {
	dir, err := os.Getwd()
	if err != nil {
		return place{}, err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "Taskfile.yml")); err == nil {
			return place{root: dir, dir: filepath.Join(dir, ".local")}, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return place{}, errors.New("not inside the Maskfleet repository: no Taskfile.yml here or above")
		}
		dir = parent
	}
}

// fail prints the error and gives the exit status that suits it.
func fail(err error) int {
	if errors.Is(err, context.Canceled) {
		fmt.Fprintln(os.Stderr, "\ninterrupted")
		return statusFailed
	}
	fmt.Fprintf(os.Stderr, "\n%v\n", err)
	var missing *missingError
	if errors.As(err, &missing) {
		return statusMissing
	}
	return statusFailed
}

// missingError is something that only the person at the keyboard can provide;
// the text says how.
type missingError struct{ text string }

func (e *missingError) Error() string { return e.text }
