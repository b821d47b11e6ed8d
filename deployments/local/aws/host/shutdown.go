package host

import (
	"context"
	"syscall"
	"time"
)

// killTick is how often what was killed is looked for.
const killTick = 10 * time.Millisecond

// shutDown asks the programs to end, once, and kills at the limit, or at ctx's end,
// what is left of them and of what they started. It returns when the machine holds
// nothing. The shortest limit of all who ask counts.
func (m *Machine) shutDown(ctx context.Context, limit time.Duration) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m.ending.Do(func() { go m.end() })
	select {
	case <-m.gone:
	case <-ctx.Done():
		m.hurry.Do(func() { close(m.hurried) })
		<-m.gone
	}
}

func (m *Machine) end() {
	defer close(m.gone)
	m.stopBoot()
	<-m.booted
	running := m.running()
	for _, p := range running {
		_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	}
	// The hold goes on: who is stopped to keep to its share must still hear.
	for _, p := range running {
		select {
		case <-p.gone:
		case <-m.hurried:
		}
	}
	m.stopHold()
	<-m.held
	m.killAll()
	m.metadata.close()
}

func (m *Machine) running() []*process {
	m.mu.Lock()
	defer m.mu.Unlock()
	var running []*process
	for _, p := range m.programs {
		if p.running() {
			running = append(running, p)
		}
	}
	return running
}

// killAll ends every process of the machine's sessions; one that is killed while it
// starts another leaves that one to the next round.
func (m *Machine) killAll() {
	tick := time.NewTicker(killTick)
	defer tick.Stop()
	for {
		pids := m.processes(0)
		if len(pids) == 0 {
			break
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // ESRCH: it has ended
		}
		<-tick.C
	}
	for _, p := range m.running() {
		<-p.gone
	}
}
