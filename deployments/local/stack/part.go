package stack

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"maskfleet/deployments/local/spawn"
)

// spec is all that is needed to start a part, and to start it again.
type spec struct {
	name    string
	program string
	args    []string
	env     map[string]string

	address string // host:port it serves; empty: none
	private string // host:port of its metrics; empty: none
	dataDir string // empty: it keeps nothing

	ready      func(context.Context) error // asks once; nil: it is ready
	readyLimit time.Duration

	stopSignal syscall.Signal
	stopLimit  time.Duration // then SIGKILL
}

// Part is one process of the stack: gone and started again, it is the same part,
// on the same port and data.
type Part struct {
	spec
	spawner *spawn.Spawner
	logPath string
	exits   chan<- Exit

	mu   sync.Mutex // guards proc
	proc *process   // the last one started; nil before the first
}

// Exit is the end of a part that nobody had asked to stop.
type Exit struct {
	Part string
	Err  error
}

// process is one run of a part.
type process struct {
	cmd    *exec.Cmd
	gone   chan struct{} // closed by the goroutine that waits for it
	err    error         // why it ended; read it after gone
	state  sync.Mutex    // guards wanted
	wanted bool          // ready, and not asked to stop: its end is news
}

func (p *process) want(wanted bool) {
	p.state.Lock()
	defer p.state.Unlock()
	p.wanted = wanted
}

func (p *process) isWanted() bool {
	p.state.Lock()
	defer p.state.Unlock()
	return p.wanted
}

func (p *process) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// Address is where the part serves, host:port; empty if it does not.
func (p *Part) Address() string { return p.address }

// Private is where its metrics are, host:port; empty if it has none.
func (p *Part) Private() string { return p.private }

// DataDir is the folder it keeps its data in; empty if it keeps none.
func (p *Part) DataDir() string { return p.dataDir }

// LogPath is the file that takes everything it prints.
func (p *Part) LogPath() string { return p.logPath }

// PID is 0 while the part does not run.
func (p *Part) PID() int {
	proc := p.current()
	if proc == nil || !proc.running() {
		return 0
	}
	return proc.cmd.Process.Pid
}

func (p *Part) current() *process {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.proc
}

// start returns when the part is ready. One that ends before, or is not ready in
// time, is an error that carries the last lines of its log.
func (p *Part) start(ctx context.Context) error {
	if p.PID() != 0 {
		return nil
	}
	proc, err := p.spawn()
	if err != nil {
		return err
	}
	if err := p.awaitReady(ctx, proc); err != nil {
		kill(proc)
		return &StartError{Part: p.name, Err: err, Log: lastLines(p.logPath)}
	}
	proc.want(true)
	if !proc.running() { // it may have ended before its end became news
		return &StartError{Part: p.name, Err: ended(proc), Log: lastLines(p.logPath)}
	}
	return nil
}

func (p *Part) spawn() (*process, error) {
	log, err := os.OpenFile(p.logPath, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", p.name, err)
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...)
	cmd.Env = environ(p.env)
	cmd.Stdout, cmd.Stderr = log, log
	if p.dataDir != "" {
		cmd.Dir = p.dataDir
	}
	if err := p.spawner.Start(cmd); err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	proc := &process{cmd: cmd, gone: make(chan struct{})}
	p.mu.Lock()
	p.proc = proc
	p.mu.Unlock()
	go p.wait(proc) // ends with the process
	return proc, nil
}

func (p *Part) wait(proc *process) {
	proc.err = proc.cmd.Wait()
	close(proc.gone)
	if !proc.isWanted() {
		return
	}
	select {
	case p.exits <- Exit{Part: p.name, Err: ended(proc)}:
	default: // nobody supervises
	}
}

func (p *Part) awaitReady(ctx context.Context, proc *process) error {
	ctx, cancel := context.WithTimeout(ctx, p.readyLimit)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		err := p.ready(ctx)
		if err == nil && proc.running() {
			return nil
		}
		select {
		case <-proc.gone:
			return ended(proc)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("not ready within %s", p.readyLimit), err)
		case <-tick.C:
		}
	}
}

// stop asks, waits for the part's own limit or ctx's end, then kills.
func (p *Part) stop(ctx context.Context) error {
	proc := p.current()
	if proc == nil {
		return nil
	}
	proc.want(false)
	if !proc.running() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, p.stopLimit)
	defer cancel()
	if err := proc.cmd.Process.Signal(p.stopSignal); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stopping %s: %w", p.name, err)
	}
	select {
	case <-proc.gone:
		return nil
	case <-ctx.Done():
		kill(proc)
		return fmt.Errorf("%s did not stop within %s and was killed", p.name, p.stopLimit)
	}
}

// signal sends to the part's process only; after SIGKILL it returns when the
// process has been seen gone.
func (p *Part) signal(signal syscall.Signal) error {
	proc := p.current()
	if proc == nil || !proc.running() {
		return fmt.Errorf("signalling %s: it is not running", p.name)
	}
	if err := proc.cmd.Process.Signal(signal); err != nil {
		return fmt.Errorf("signalling %s: %w", p.name, err)
	}
	if signal == syscall.SIGKILL {
		<-proc.gone
	}
	return nil
}

// kill takes the whole process group, so that helpers of the part go with it.
func kill(proc *process) {
	_ = syscall.Kill(-proc.cmd.Process.Pid, syscall.SIGKILL) // ESRCH: already gone
	<-proc.gone
}

func ended(proc *process) error {
	<-proc.gone
	if proc.err == nil {
		return errors.New("ended by itself with exit status 0")
	}
	return fmt.Errorf("ended: %w", proc.err)
}

func (p *Part) info() PartInfo {
	return PartInfo{PID: p.PID(), Address: p.address, Private: p.private, Log: p.logPath}
}

func logPath(dir, part string) string { return filepath.Join(dir, part+".log") }
