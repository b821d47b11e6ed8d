package host

import (
	"context"
	"syscall"
	"time"
)

const (
	shareTick = 10 * time.Millisecond
	// idleTick is for a machine that used hardly anything since the last look. What it
	// uses before the next one is taken off what it may use later.
	idleTick = 50 * time.Millisecond
	idleUse  = 500 * time.Microsecond
	// burst is how long a machine that was idle may use a whole core before its share
	// holds.
	burst = 100 * time.Millisecond
	// late is how old the last look at a machine is when this computer is too busy to look
	// in time. What the machine used after that is not its fault: if it had to pay for it,
	// it would be halted for seconds, and to a balancer that is not slow, but dead.
	late = 100 * time.Millisecond
)

// allowance is what a machine may still use. Its share flows in, what was used flows
// out, and nothing beyond the burst is saved up.
type allowance struct {
	cores float64
	left  time.Duration
}

// settle says whether the machine may run on after it has used so much in the time
// that passed. Of a late look only the share of the time that was not late counts.
func (a *allowance) settle(passed, used time.Duration) bool {
	if passed > late {
		used = time.Duration(float64(used) * late.Seconds() / passed.Seconds())
		passed = late
	}
	a.left += time.Duration(a.cores*float64(passed)) - used
	a.left = min(a.left, burst)
	return a.left > 0
}

// holdToShare stops and continues the machine's processes so that together they use
// its share of CPU and no more, until ctx ends. A machine that may use all there is is
// only measured.
func (m *Machine) holdToShare(ctx context.Context) {
	tick := time.NewTicker(shareTick)
	defer tick.Stop()
	a := allowance{cores: m.spec.Cores, left: burst}
	last, lastUsed := time.Now(), time.Duration(0)
	tell, stopTelling := m.tellOfCPU(ctx)
	defer stopTelling()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, used := time.Now(), m.measure()
		tell(now, used)
		switch {
		case m.spec.Trouble == Hangs:
			m.halt()
		case m.spec.Cores == 0:
			tick.Reset(censusAge)
		default:
			running := a.settle(now.Sub(last), used-lastUsed)
			if running {
				m.goOn()
			} else {
				m.halt()
			}
			if running && used-lastUsed < idleUse {
				tick.Reset(idleTick)
			} else {
				tick.Reset(shareTick)
			}
			last, lastUsed = now, used
		}
	}
}

// halt stops all processes of the machine, those too that came after an earlier halt.
func (m *Machine) halt() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.halted = true
	m.signalAll(syscall.SIGSTOP)
}

// goOn lets a halted machine run.
func (m *Machine) goOn() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.halted {
		m.halted = false
		m.signalAll(syscall.SIGCONT)
	}
}

// signalAll is called with mu held.
func (m *Machine) signalAll(signal syscall.Signal) {
	for _, pid := range m.pids {
		_ = syscall.Kill(pid, signal) // ESRCH: it has ended
	}
}

// measure reads what the machine has used so far.
func (m *Machine) measure() time.Duration {
	pids := m.processes(censusAge)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pids = pids
	return m.meter.read(pids)
}
