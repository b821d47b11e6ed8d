package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"maskfleet/deployments/local/spawn"
)

// Host runs machines. It may be used by many at once.
type Host struct {
	dir     string
	log     *slog.Logger
	network *network
	spawner *spawn.Spawner
	census  *census
	ctx     context.Context // of all machines
	cancel  context.CancelFunc

	mu       sync.Mutex // guards the rest
	machines map[string]*Machine
	closing  bool // nothing is booted any more
}

// Open takes a part of loopback for the machines. What the host keeps lies in dir.
func Open(dir string, log *slog.Logger) (*Host, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the host's folder: %w", err)
	}
	network, err := takeNetwork(dir)
	if err != nil {
		return nil, err
	}
	h := &Host{dir: dir, log: log, network: network, spawner: spawn.New(), census: &census{}, machines: make(map[string]*Machine)}
	h.ctx, h.cancel = context.WithCancel(context.Background())
	return h, nil
}

// Close kills all machines.
func (h *Host) Close() {
	h.ShutDownAll(0)
	h.cancel()
	h.spawner.Close()
	h.network.release()
}

// Network is where machines have their addresses. The first four of each subnet and
// the last are not theirs.
func (h *Host) Network() netip.Prefix { return h.network.prefix }

// ErrAddress says that a machine's address cannot be its own.
var ErrAddress = errors.New("the address is outside the host's network or taken")

// ErrClosing says that the host ends.
var ErrClosing = errors.New("the host shuts down")

// Boot switches a machine on; one that is on already stays as it is.
func (h *Host) Boot(spec Spec) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closing {
		return fmt.Errorf("booting %s: %w", spec.ID, ErrClosing)
	}
	if _, on := h.machines[spec.ID]; on {
		return nil
	}
	if !h.network.prefix.Contains(spec.Address) || h.taken(spec.Address) {
		return fmt.Errorf("booting %s at %s: %w", spec.ID, spec.Address, ErrAddress)
	}
	m := &Machine{
		spec: spec, dir: filepath.Join(h.dir, "instances", spec.ID),
		spawner: h.spawner, census: h.census, log: h.log,
		booted: make(chan struct{}), held: make(chan struct{}), hurried: make(chan struct{}), gone: make(chan struct{}),
	}
	if err := m.power(h.ctx); err != nil {
		return err
	}
	h.machines[spec.ID] = m
	return nil
}

func (h *Host) taken(address netip.Addr) bool {
	for _, m := range h.machines {
		if m.spec.Address == address {
			return true
		}
	}
	return false
}

// ShutDown ends a machine: SIGTERM, then SIGKILL at the limit or at ctx's end. It
// returns when nothing of it is left; one that is not there is no error.
func (h *Host) ShutDown(ctx context.Context, id string, limit time.Duration) {
	m := h.find(id)
	if m == nil {
		return
	}
	m.shutDown(ctx, limit)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.machines[id] == m {
		delete(h.machines, id)
	}
}

// ShutDownAll ends all machines at the same time, for good: none is booted after it.
func (h *Host) ShutDownAll(limit time.Duration) {
	h.mu.Lock()
	h.closing = true
	h.mu.Unlock()
	var all sync.WaitGroup
	for _, status := range h.Machines() {
		all.Go(func() { h.ShutDown(h.ctx, status.ID, limit) })
	}
	all.Wait()
}

// Tell changes what a machine reads of itself.
func (h *Host) Tell(id string, metadata Metadata) {
	if m := h.find(id); m != nil {
		m.metadata.update(metadata)
	}
}

func (h *Host) find(id string) *Machine {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.machines[id]
}

// Machines lists those that are on.
func (h *Host) Machines() []Status {
	h.mu.Lock()
	all := make([]*Machine, 0, len(h.machines))
	for _, m := range h.machines {
		all = append(all, m)
	}
	h.mu.Unlock()
	statuses := make([]Status, 0, len(all))
	for _, m := range all {
		statuses = append(statuses, m.status())
	}
	slices.SortFunc(statuses, func(a, b Status) int { return strings.Compare(a.ID, b.ID) })
	return statuses
}
