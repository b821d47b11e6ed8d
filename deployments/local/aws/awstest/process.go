package awstest

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"maskfleet/deployments/local/spawn"
)

const (
	readyLimit = time.Minute // far more than it takes; machines may be busy
	readyTick  = 10 * time.Millisecond
	stopLimit  = 20 * time.Second
)

// process is one of the stand-in's, started again with the same arguments.
type process struct {
	name    string
	program string
	args    []string
	ready   func(context.Context) error
	spawner *spawn.Spawner
	log     string

	mu   sync.Mutex // guards cmd and gone
	cmd  *exec.Cmd
	gone chan struct{} // closed when cmd has ended
}

func (p *process) start(tb testing.TB) {
	tb.Helper()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command(p.program, p.args...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := p.spawner.Start(cmd); err != nil {
		tb.Fatalf("starting %s: %v", p.name, err)
	}
	gone := make(chan struct{})
	go func() {
		_ = cmd.Wait() // its log says why
		close(gone)
	}()
	p.mu.Lock()
	p.cmd, p.gone = cmd, gone
	p.mu.Unlock()
	p.await(tb, gone)
}

func (p *process) await(tb testing.TB, gone <-chan struct{}) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), readyLimit)
	defer cancel()
	for {
		err := p.ready(ctx)
		if err == nil {
			return
		}
		select {
		case <-gone:
			tb.Fatalf("%s ended at its start:\n%s", p.name, p.output())
		case <-ctx.Done():
			tb.Fatalf("%s is not ready: %v\n%s", p.name, err, p.output())
		case <-time.After(readyTick):
		}
	}
}

func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	const most = 8 << 10
	return string(text[max(0, len(text)-most):])
}

// kill returns when the process has been seen gone.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return
	}
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.gone
}

// stop asks, then kills.
func (p *process) stop() {
	p.mu.Lock()
	cmd, gone := p.cmd, p.gone
	p.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-gone:
	case <-time.After(stopLimit):
		p.kill()
	}
}

// connects is ready when somebody accepts.
func connects(network, address string) func(context.Context) error {
	return func(ctx context.Context) error {
		var dialer net.Dialer
		conn, err := dialer.DialContext(ctx, network, address)
		if err != nil {
			return err
		}
		return conn.Close()
	}
}

// systemProgram finds a Debian program also where an ordinary user's PATH does not
// look.
func systemProgram(tb testing.TB, name string) string {
	tb.Helper()
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	path := filepath.Join("/usr/sbin", name)
	if _, err := os.Stat(path); err != nil {
		tb.Fatal(fmt.Errorf("%s is not installed: %w", name, err))
	}
	return path
}
