package reserve

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
)

// Ports are sought below Linux's range for outgoing connections and below those that a
// stack chooses from, so that nothing else on the machine is given one of them while
// the server it belongs to is being restarted.
const (
	first = 12000
	last  = 19999
)

// reserved holds a locked file for each port of this process. The kernel lets go of
// the locks when the process ends, however it ends.
var reserved struct {
	sync.Mutex // guards files

	files []*os.File
}

// Port gives a port as FindPort does, or ends the test.
func Port(tb testing.TB) int {
	tb.Helper()
	port, err := FindPort()
	if err != nil {
		tb.Fatal(err)
	}
	return port
}

// FindPort gives a port of loopback that nobody listens on and that no other test of this machine
// is given as long as this process runs.
func FindPort() (int, error) {
	dir := filepath.Join(os.TempDir(), "maskfleet-test-ports-"+strconv.Itoa(os.Getuid()))
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return 0, fmt.Errorf("finding a free port: %w", err)
	}
	const tries = 1000
	for range tries {
		port := first + rand.IntN(last-first+1)
		taken, err := take(dir, port)
		if err != nil {
			return 0, fmt.Errorf("finding a free port: %w", err)
		}
		if taken {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d", first, last)
}

// take takes the port unless another test has it or somebody listens there.
func take(dir string, port int) (bool, error) {
	file, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(port)), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return false, err
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return false, file.Close()
	}
	if err != nil {
		return false, errors.Join(err, file.Close())
	}
	listener, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false, file.Close() // somebody else's
	}
	reserved.Lock()
	reserved.files = append(reserved.files, file)
	reserved.Unlock()
	return true, listener.Close()
}
