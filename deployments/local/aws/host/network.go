package host

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
)

// network is the part of loopback that belongs to one host: 127.N.0.0/16. Who listens
// on its first address owns it, so that hosts beside each other never share one and
// the kernel gives it back however a host ends.
type network struct {
	prefix netip.Prefix
	owner  net.Listener
}

// takeNetwork prefers the one that dir remembers, so that addresses outlive the host.
func takeNetwork(dir string) (*network, error) {
	const first, last, tries = 1, 254, 500 // 127.0 is everybody's
	path := filepath.Join(dir, "network")
	if text, err := os.ReadFile(path); err == nil {
		if prefix, err := netip.ParsePrefix(strings.TrimSpace(string(text))); err == nil {
			if n, err := claim(prefix); err == nil {
				return n, nil
			}
		}
	}
	for range tries {
		second := byte(first + rand.IntN(last-first+1))
		n, err := claim(netip.PrefixFrom(netip.AddrFrom4([4]byte{127, second, 0, 0}), 16))
		if err == nil {
			return n, os.WriteFile(path, []byte(n.prefix.String()+"\n"), 0o600)
		}
	}
	return nil, errors.New("taking a part of loopback: no free one was found")
}

func claim(prefix netip.Prefix) (*network, error) {
	owner, err := net.Listen("tcp", netip.AddrPortFrom(prefix.Addr().Next(), MetadataPort).String())
	if err != nil {
		return nil, fmt.Errorf("taking %s: %w", prefix, err)
	}
	return &network{prefix: prefix, owner: owner}, nil
}

func (n *network) release() { _ = n.owner.Close() }
