package testenv

import (
	"syscall"
	"testing"

	"maskfleet/pkg/testenv/reserve"
)

// child is a server process of a test. Its folder and its port stay the same over
// restarts.
type child struct {
	dir     string
	port    int
	process *Process
	run     func() (*Process, error) // starts it and returns when it is ready
}

// newChild prepares a server; it does not run yet.
func newChild(kind string) (child, error) {
	dir, err := reserve.Folder(kind)
	if err != nil {
		return child{}, err
	}
	port, err := reserve.FindPort()
	return child{dir: dir, port: port}, err
}

// startedFor starts a server for this test alone.
func startedFor[S interface{ Kill() }](tb testing.TB, start func() (S, error)) S {
	tb.Helper()
	server, err := start()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(server.Kill)
	return server
}

func (c *child) start() (err error) {
	c.process, err = c.run()
	return err
}

// Start starts the server again after Stop or Kill, with its data and address.
func (c *child) Start(tb testing.TB) {
	tb.Helper()
	if err := c.start(); err != nil {
		tb.Fatal(err)
	}
}

// Stop ends the server in order.
func (c *child) Stop() { c.process.Stop() }

// Kill ends the server with SIGKILL.
func (c *child) Kill() { c.process.Kill() }

// Freeze stops the server where it stands: connections stay, answers do not come.
func (c *child) Freeze() { c.process.Freeze() }

// Thaw lets a frozen server go on.
func (c *child) Thaw() { c.process.Signal(syscall.SIGCONT) }
