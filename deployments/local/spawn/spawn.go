package spawn

import (
	"os/exec"
	"runtime"
	"syscall"
)

// Spawner starts children that are killed when this process ends, even by SIGKILL.
// The kernel ties a child's life to the thread that started it, not to the process,
// so all of them start from one thread that lives until Close. It may be used by
// many at once.
type Spawner struct {
	starts chan start
}

type start struct {
	cmd    *exec.Cmd
	result chan<- error
}

// New must be followed by Close.
func New() *Spawner {
	s := &Spawner{starts: make(chan start)}
	go s.run()
	return s
}

// run ends at Close; its thread, being locked, ends with it.
func (s *Spawner) run() {
	runtime.LockOSThread()
	for start := range s.starts {
		start.result <- start.cmd.Start()
	}
}

// Start starts the child with its end tied to ours, and in a process group of its own,
// so that Ctrl-C at a terminal reaches this process only; where cmd asks for a session
// of its own, that does the same.
func (s *Spawner) Start(cmd *exec.Cmd) error {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	cmd.SysProcAttr.Setpgid = !cmd.SysProcAttr.Setsid
	result := make(chan error, 1)
	s.starts <- start{cmd: cmd, result: result}
	return <-result
}

// Close must come after the last child has gone: it kills the rest.
func (s *Spawner) Close() { close(s.starts) }
