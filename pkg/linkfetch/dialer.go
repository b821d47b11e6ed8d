package linkfetch

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
	"time"
)

const connectTimeout = 5 * time.Second

// Dialer connects to addresses that a stranger named, and refuses those that
// Config.Allow describes; allow is such a list. IsForbidden knows the refusal.
func Dialer(allow []string) (*net.Dialer, error) {
	guard, err := newGuard(allow)
	if err != nil {
		return nil, err
	}
	return &net.Dialer{
		Timeout: connectTimeout,
		// Called with the very address that is about to be connected to: a name
		// that resolves differently the next moment gains nothing.
		Control: func(_, address string, _ syscall.RawConn) error {
			a, err := netip.ParseAddrPort(address)
			if err != nil {
				return fmt.Errorf("reading the address %q: %w", address, err)
			}
			return guard.check(a)
		},
	}, nil
}

// IsForbidden says that a connection was refused because of its address.
func IsForbidden(err error) bool {
	var forbidden *forbiddenError
	return errors.As(err, &forbidden)
}
