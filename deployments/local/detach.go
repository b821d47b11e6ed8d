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
	"syscall"

	"maskfleet/deployments/local/stack"
)

// runDetached starts this program again in a session of its own, follows its
// start-up and leaves it running.
func runDetached(ctx context.Context, at place, s steps, fleet *stack.Fleet) int {
	info, err := startDetached(ctx, at, s, fleet)
	if err != nil {
		return fail(err)
	}
	printReady(s, info)
	s.line("It runs in the background: `go tool task down` stops it, the data stays.")
	return statusOK
}

// startDetached returns when everything is ready. The programs must be built.
func startDetached(ctx context.Context, at place, s steps, fleet *stack.Fleet) (stack.Info, error) {
	if info, running := stack.Running(at.dir); running && info.PID != 0 {
		return info, nil
	}
	program, err := os.Executable()
	if err != nil {
		return stack.Info{}, err
	}
	log, err := os.OpenFile(filepath.Join(at.dir, "log", "up.log"), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return stack.Info{}, err
	}
	defer log.Close()
	progress, childEnd, err := os.Pipe()
	if err != nil {
		return stack.Info{}, err
	}
	defer progress.Close()
	cmd := exec.Command(program, append([]string{backgroundCommand}, fleetArgs(fleet)...)...)
	cmd.Dir = at.root
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{childEnd}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = errors.Join(cmd.Start(), childEnd.Close())
	if err != nil {
		return stack.Info{}, fmt.Errorf("starting the background process: %w", err)
	}
	stopAsking := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) })
	defer stopAsking()
	// The other end is closed when the start-up is over, one way or another.
	if _, err := io.Copy(s.out, progress); err != nil {
		return stack.Info{}, err
	}
	info, running := stack.Running(at.dir)
	if !running || info.PID == 0 {
		_ = cmd.Wait()
		return stack.Info{}, fmt.Errorf("the stack did not start:\n%s", tailOf(log.Name()))
	}
	return info, cmd.Process.Release()
}

const (
	backgroundCommand = "background"
	progressFile      = 3 // where the background process finds its end of the pipe
)

// runBackground is what startDetached starts.
func runBackground(ctx context.Context, args []string) int {
	flags := flag.NewFlagSet(backgroundCommand, flag.ContinueOnError)
	fleet := fleetFlags(flags)
	if err := flags.Parse(args); err != nil {
		return statusMissing
	}
	at, err := findPlace()
	if err != nil {
		return fail(err)
	}
	progress := os.NewFile(progressFile, "progress")
	defer progress.Close()
	syscall.CloseOnExec(progressFile) // or the parts would keep it open
	return serve(ctx, at, steps{progress}, fleet, func(stack.Info) { _ = progress.Close() })
}

func tailOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return lastLines(string(text))
}
