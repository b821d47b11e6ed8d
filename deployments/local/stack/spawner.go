package stack

import (
	"os/exec"
	"runtime"
	"syscall"
)

// spawner starts children that are killed when this process ends, even by
// SIGKILL. The kernel ties a child's life to the thread that started it, not to
// the process, so all of them start from one thread that lives until close.
type spawner struct {
	starts chan start
}

type start struct {
	cmd    *exec.Cmd
	result chan<- error
}

func newSpawner() *spawner {
	s := &spawner{starts: make(chan start)}
	go s.run()
	return s
}

// run ends at close; its thread, being locked, ends with it.
func (s *spawner) run() {
	runtime.LockOSThread()
	for start := range s.starts {
		start.result <- start.cmd.Start()
	}
}

// start gives the child a process group of its own, so that Ctrl-C at a terminal
// reaches the launcher only, which then stops the parts in order.
func (s *spawner) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	result := make(chan error, 1)
	s.starts <- start{cmd: cmd, result: result}
	return <-result
}

// close must come after the last child has gone: it kills the rest.
func (s *spawner) close() { close(s.starts) }
