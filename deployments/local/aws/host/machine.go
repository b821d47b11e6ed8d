package host

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"maskfleet/deployments/local/spawn"
)

// Machine is one that was booted. It is gone after its shutdown.
type Machine struct {
	spec     Spec
	dir      string // of what its programs print
	spawner  *spawn.Spawner
	census   *census
	metadata *metadataServer
	log      *slog.Logger
	stopBoot context.CancelFunc // no further program is started
	booted   chan struct{}      // closed when none will be
	stopHold context.CancelFunc
	held     chan struct{} // closed when the machine is held to its share no more

	ending  sync.Once     // starts its end
	hurry   sync.Once     // closes hurried
	hurried chan struct{} // closed when its programs have had their time
	gone    chan struct{} // closed when nothing of it is left

	mu       sync.Mutex // guards the rest
	programs []*process
	bootedAt time.Time // zero: not yet
	halted   bool      // stopped, to hold its share
	pids     []int     // of all its processes, at most censusAge old
	meter    meter
}

// process is one program of a machine.
type process struct {
	name string
	cmd  *exec.Cmd
	gone chan struct{} // closed by the goroutine that waits for it
	exit string        // how it ended; read it after gone

	endedAt time.Time // read it after gone
	over    bool      // its session has ended with it; guarded by the machine's mu
}

func (p *process) running() bool {
	select {
	case <-p.gone:
		return false
	default:
		return true
	}
}

// power switches the machine on; its programs start after the boot delay.
func (m *Machine) power(ctx context.Context) error {
	if err := os.MkdirAll(m.dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of machine %s: %w", m.spec.ID, err)
	}
	metadata, err := serveMetadata(m.spec.Metadata)
	if err != nil {
		return fmt.Errorf("serving the metadata of machine %s: %w", m.spec.ID, err)
	}
	m.metadata = metadata
	hold, stopHold := context.WithCancel(ctx)
	boot, stopBoot := context.WithCancel(hold)
	m.stopHold, m.stopBoot = stopHold, stopBoot
	go func() { // ends at stopHold
		defer close(m.held)
		m.boot(boot)
		close(m.booted)
		m.holdToShare(hold)
	}()
	return nil
}

func (m *Machine) boot(ctx context.Context) {
	select {
	case <-ctx.Done():
		return
	case <-time.After(m.spec.BootDelay):
	}
	if m.spec.Trouble == NeverBoots {
		m.log.InfoContext(ctx, "machine does not boot, as was asked", "instance_id", m.spec.ID)
		return
	}
	if err := forgetStat(m.dir); err != nil {
		m.log.WarnContext(ctx, "CPU of the boot before not forgotten", "instance_id", m.spec.ID, "err", err)
	}
	for _, program := range m.spec.Programs {
		if ctx.Err() != nil {
			return
		}
		if err := m.start(program); err != nil {
			m.log.ErrorContext(ctx, "program not started", "instance_id", m.spec.ID, "program", program.Name, "err", err)
		}
	}
	m.mu.Lock()
	m.bootedAt = time.Now()
	m.mu.Unlock()
	m.log.InfoContext(ctx, "machine booted", "instance_id", m.spec.ID)
}

func (m *Machine) start(program Program) error {
	env, err := program.environ(m.spec.Metadata, m.metadata.url, filepath.Join(m.dir, statName))
	if err != nil {
		return err
	}
	console, err := os.OpenFile(filepath.Join(m.dir, program.Name+".log"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", program.Name, err)
	}
	defer console.Close()
	args := program.args(m.spec.Metadata)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr, cmd.Dir = append(ownEnvironment(), env...), console, console, m.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := m.spawner.Start(cmd); err != nil {
		return fmt.Errorf("starting %s: %w", program.Name, err)
	}
	p := &process{name: program.Name, cmd: cmd, gone: make(chan struct{})}
	m.mu.Lock()
	m.programs = append(m.programs, p)
	m.mu.Unlock()
	go m.wait(p) // ends with the process
	return nil
}

func (m *Machine) wait(p *process) {
	_ = p.cmd.Wait() // its state says how it ended
	p.exit, p.endedAt = p.cmd.ProcessState.String(), time.Now()
	m.log.Info("program ended", "instance_id", m.spec.ID, "program", p.name, "exit", p.exit)
	close(p.gone)
}

// ownEnvironment is what any program of the machine finds.
func ownEnvironment() []string {
	var lines []string
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR", "TZ", "GORACE", "GODEBUG", "GOCOVERDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			lines = append(lines, name+"="+value)
		}
	}
	return lines
}

// processes lists all processes of its programs' sessions. A program that ended may
// have left others in its session, whose number is nobody else's for as long; once
// the session is seen empty its number may become a stranger's.
func (m *Machine) processes(oldest time.Duration) []int {
	m.mu.Lock()
	defer m.mu.Unlock()
	var pids []int
	for _, p := range m.programs {
		if p.over {
			continue
		}
		ended := !p.running()
		if ended {
			oldest = min(oldest, time.Since(p.endedAt)) // a look from before says nothing of after
		}
		session := m.census.of(p.cmd.Process.Pid, oldest)
		p.over = ended && len(session) == 0
		pids = append(pids, session...)
	}
	return pids
}

// Status is how a machine is doing.
type Status struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Address  netip.Addr      `json:"address"`
	BootedAt time.Time       `json:"booted_at"` // zero: not yet
	CPU      time.Duration   `json:"cpu"`       // used since its boot
	CPUAt    time.Time       `json:"cpu_at"`    // when that was read; zero: never
	Cores    float64         `json:"cores"`     // that it may use
	Programs []ProgramStatus `json:"programs"`
}

// ProgramStatus is how a program is doing.
type ProgramStatus struct {
	Name string `json:"name"`
	PID  int    `json:"pid"`
	Exit string `json:"exit,omitempty"` // empty: it runs
}

func (m *Machine) status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := Status{ID: m.spec.ID, Type: m.spec.Metadata.InstanceType, Address: m.spec.Address, BootedAt: m.bootedAt, CPU: m.meter.total, CPUAt: m.meter.at, Cores: m.spec.Cores}
	for _, p := range m.programs {
		program := ProgramStatus{Name: p.name, PID: p.cmd.Process.Pid}
		if !p.running() {
			program.Exit = p.exit
		}
		s.Programs = append(s.Programs, program)
	}
	return s
}
