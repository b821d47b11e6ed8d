package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// runLogged keeps what the command prints in the log and, if it fails, puts the
// last lines into the error.
func runLogged(ctx context.Context, log io.Writer, cmd *exec.Cmd) error {
	var tail bytes.Buffer
	fmt.Fprintf(log, "$ %s\n", strings.Join(cmd.Args[:min(len(cmd.Args), 2)], " "))
	cmd.Stdout = io.MultiWriter(log, &tail)
	cmd.Stderr = cmd.Stdout
	// At the end of its context it is asked, so that the install script can
	// put things back; Ctrl-C reaches it once only, being in another group.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	cmd.WaitDelay = 20 * time.Second
	err := cmd.Run()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cmd.Args[0], err, lastLines(tail.String()))
	}
	return nil
}

func lastLines(text string) string {
	const most = 20
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-most):], "\n    ")
}
