package testenv

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// stopGrace is how long Stop waits for a process to end by itself.
const stopGrace = 10 * time.Second

// Process is a child process that cannot outlive this one: the kernel kills it
// when the thread that started it ends, which it does with the whole program.
type Process struct {
	cmd    *exec.Cmd
	output *tail
	asked  atomic.Bool   // to end
	ended  chan struct{} // closed by the goroutine that waits for the process
	err    error         // how it ended; set before ended is closed
}

// StartProcess starts cmd as a Process in a process group of its own, so that a
// Ctrl-C at the terminal does not reach it. Where cmd has no outputs set, their
// last part is kept for Output.
func StartProcess(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, output: &tail{}, ended: make(chan struct{})}
	if cmd.Stdout == nil {
		cmd.Stdout = p.output
	}
	if cmd.Stderr == nil {
		cmd.Stderr = p.output
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Setpgid = true
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL

	started := make(chan error, 1)
	go func() {
		// Pdeathsig follows the thread that forked, not the process: this one is
		// kept for the child alone and ends with it.
		runtime.LockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.ended)
			p.obituary()
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	return p, nil
}

// Pid is the process id.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Ended is closed once the process is gone and reaped.
func (p *Process) Ended() <-chan struct{} { return p.ended }

// Err says how the process ended; ask only after Ended.
func (p *Process) Err() error { return p.err }

// Output is the last part of what the process printed.
func (p *Process) Output() string { return p.output.String() }

// Signal sends a signal to the process; to one that is gone it does nothing.
func (p *Process) Signal(s syscall.Signal) {
	if s == syscall.SIGKILL || s == syscall.SIGTERM {
		p.asked.Store(true)
	}
	_ = p.cmd.Process.Signal(s)
}

// obituary says how a process ended that nobody asked to, in good order too: the tests
// that needed it can only say that it does not answer.
func (p *Process) obituary() {
	if !p.asked.Load() {
		fmt.Fprintf(os.Stderr, "%s ended (%v), having said:\n%s\n", p.cmd.Path, p.err, p.Output())
	}
}

// Kill ends the process with SIGKILL and returns when it is gone.
func (p *Process) Kill() {
	p.Signal(syscall.SIGKILL)
	<-p.ended
}

// Stop asks the process to end with SIGTERM, kills it if it does not within ten
// seconds, and returns when it is gone.
func (p *Process) Stop() {
	p.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(stopGrace):
		p.Kill()
	}
}

const tailBytes = 16 << 10

// tail is a writer that keeps the last tailBytes.
type tail struct {
	mu   sync.Mutex // guards kept
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - tailBytes; over > 0 {
		t.kept = bytes.Clone(t.kept[over:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.kept)
}
