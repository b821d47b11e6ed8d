package slot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"
	"time"

	"maskfleet/inference-worker/slot/wire"
	"maskfleet/pkg/job"
)

const (
	startTimeout = 30 * time.Second // to load OpenCV and the model on a busy machine
	stopGrace    = time.Second      // to end after the end of input
	outputGrace  = time.Second      // to close standard error once it has ended
)

// process is one slot's child process. One goroutine at a time talks to it.
type process struct {
	cmd    *exec.Cmd
	in     *os.File // what we write it reads
	out    *os.File // what it writes we read
	stderr *stderrLog
	model  job.Model
	ended  chan struct{} // closed by the goroutine that waits for the process
	err    error         // how it ended; set before ended is closed
}

// startProcess starts the slot program and waits for its hello. Nothing of it is
// left behind when it fails or ctx ends first.
func startProcess(ctx context.Context, cfg Config, log *slog.Logger) (*process, error) {
	childIn, in, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("making a slot's input: %w", err)
	}
	out, childOut, err := os.Pipe()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("making a slot's output: %w", err), childIn.Close(), in.Close())
	}
	p := &process{
		cmd:    command(cfg, childIn, childOut),
		in:     in,
		out:    out,
		stderr: newStderrLog(log),
		ended:  make(chan struct{}),
	}
	p.cmd.Stderr = p.stderr
	err = p.launch(cfg.Nice)
	_ = childIn.Close() // ours only to pass on
	_ = childOut.Close()
	if err != nil {
		p.closePipes()
		return nil, err
	}
	if err := p.greet(ctx, cfg); err != nil {
		p.kill()
		p.closePipes()
		return nil, err
	}
	return p, nil
}

func command(cfg Config, in, out *os.File) *exec.Cmd {
	args := []string{
		"-data-limit", strconv.FormatInt(cfg.DataLimitBytes, 10),
		"-model-folder", cfg.Vision.ModelFolder,
		"-working-point", string(cfg.Vision.WorkingPoint),
		"-tiles", string(cfg.Vision.Tiles),
	}
	if cfg.SimulateFaults {
		args = append(args, "-simulate-faults")
	}
	cmd := exec.Command(cfg.Program, args...)
	cmd.Env = []string{} // not nil, which would be ours with its secrets
	cmd.Dir = "/"
	cmd.Stdin, cmd.Stdout = in, out
	cmd.WaitDelay = outputGrace
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setpgid:   true, // a Ctrl-C at the terminal is the worker's to handle
		Pdeathsig: syscall.SIGKILL,
	}
	return cmd
}

// launch starts the process from a thread kept for it alone: Pdeathsig follows the
// thread that forked, not the program, and the priority of that thread is what all
// threads of the child inherit. The thread ends with the child.
func (p *process) launch(nice int) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: a thread with another priority must not be used again
		err := standBehind(nice)
		if err == nil {
			err = p.cmd.Start()
		}
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
			close(p.ended)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("starting slot program %s: %w", p.cmd.Path, err)
	}
	return nil
}

// standBehind lowers the priority of the calling thread by nice. It counts from the
// worker's own: nobody but root may go back above that.
func standBehind(nice int) error {
	raw, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return err
	}
	own := 20 - raw // the system call cannot give negative numbers
	return syscall.Setpriority(syscall.PRIO_PROCESS, 0, min(own+nice, 19))
}

func (p *process) greet(ctx context.Context, cfg Config) error {
	stop := p.guard(ctx, startTimeout, cfg.DataLimitBytes)
	hello, err := wire.ReadHello(p.out)
	verdict := stop()
	switch {
	case err == nil:
		p.model = hello.Model
		return nil
	case verdict == verdictCancelled:
		return context.Cause(ctx)
	default:
		p.kill()
		return fmt.Errorf("waiting for slot %d to be ready: %w (%s, %w, last words %q)", p.pid(), err, verdict, p.death(), p.stderr.lastLine())
	}
}

// exchange sends one photo and reads the answer. Only a *job.Failure leaves the
// process fit for another photo.
func (p *process) exchange(r Request) (wire.Result, error) {
	p.stderr.refill()
	if err := wire.WriteRequest(p.in, wire.Request{Attempt: r.Attempt, Data: r.Data}); err != nil {
		return wire.Result{}, err
	}
	return wire.ReadReply(p.out)
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// death says how an ended process ended; a slot that left without a word has died
// as much as one that was killed.
func (p *process) death() error {
	if p.err == nil {
		return errors.New("exit status 0")
	}
	return p.err
}

func (p *process) gone() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// kill ends the process and returns when it is gone.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // an error says that it is gone already
	<-p.ended
}

// stop ends an idle process by the end of its input and returns when it is gone.
func (p *process) stop() {
	_ = p.in.Close()
	grace := time.NewTimer(stopGrace)
	defer grace.Stop()
	select {
	case <-p.ended:
	case <-grace.C:
		p.kill()
	}
	p.closePipes()
}

func (p *process) closePipes() {
	for _, pipe := range []io.Closer{p.in, p.out} {
		_ = pipe.Close() // closing twice is harmless
	}
}
