package stack

import (
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// Free ports are sought below Linux's range for outgoing connections, so that
// nobody's client takes a port while the part that owns it is being restarted.
const (
	firstFreePort = 20000
	lastFreePort  = 31999
)

// portPicker gives out loopback ports, none of them twice.
type portPicker struct {
	given map[int]bool
}

func newPortPicker() *portPicker { return &portPicker{given: make(map[int]bool)} }

// prefer gives the wanted port, or a free one if it is zero or taken.
func (p *portPicker) prefer(wanted int) (int, error) {
	if wanted != 0 && p.take(wanted) {
		return wanted, nil
	}
	return p.free()
}

func (p *portPicker) free() (int, error) {
	const tries = 1000
	for range tries {
		port := firstFreePort + rand.IntN(lastFreePort-firstFreePort+1)
		if p.take(port) {
			return port, nil
		}
	}
	return 0, fmt.Errorf("no free port between %d and %d", firstFreePort, lastFreePort)
}

func (p *portPicker) take(port int) bool {
	if p.given[port] {
		return false
	}
	listener, err := net.Listen("tcp", loopback(port))
	if err != nil {
		return false
	}
	_ = listener.Close()
	p.given[port] = true
	return true
}

func loopback(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
