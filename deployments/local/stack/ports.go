package stack

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// Free ports are sought below Linux's range for outgoing connections, so that
// nobody's client takes a port while the part that owns it is being restarted.
const (
	firstFreePort = 20000
	lastFreePort  = 31999
)

// portPicker gives out loopback ports, none of them twice, and keeps them from other
// stacks of this user: a port on which nobody listens yet, or not at this moment, would
// be given to a second one otherwise.
type portPicker struct {
	dir   string
	locks []*os.File // one for each port; the kernel opens them however this process ends
}

func newPortPicker() (*portPicker, error) {
	dir := filepath.Join(os.TempDir(), "maskfleet-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("making the folder of ports in use: %w", err)
	}
	return &portPicker{dir: dir}, nil
}

// release gives all ports back.
func (p *portPicker) release() error {
	var errs []error
	for _, lock := range p.locks {
		errs = append(errs, lock.Close())
	}
	p.locks = nil
	return errors.Join(errs...)
}

// prefer gives the wanted port, or a free one if it is zero or taken.
func (p *portPicker) prefer(wanted int) (int, error) {
	if wanted != 0 {
		if got, err := p.take(wanted); got || err != nil {
			return wanted, err
		}
	}
	return p.free()
}

func (p *portPicker) free() (int, error) {
	const tries = 1000
	for range tries {
		port := firstFreePort + rand.IntN(lastFreePort-firstFreePort+1)
		if got, err := p.take(port); got || err != nil {
			return port, err
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d", firstFreePort, lastFreePort)
}

func (p *portPicker) take(port int) (bool, error) {
	lock, err := os.OpenFile(filepath.Join(p.dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, fmt.Errorf("taking port %d: %w", port, err)
	}
	err = unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, lock.Close() // another stack's, or this one's
	}
	if err != nil {
		return false, errors.Join(fmt.Errorf("taking port %d: %w", port, err), lock.Close())
	}
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false, lock.Close() // some other program's
	}
	p.locks = append(p.locks, lock)
	return true, listener.Close()
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
