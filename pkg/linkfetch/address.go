package linkfetch

import (
	"fmt"
	"net/netip"
	"slices"
)

// forbiddenError marks an address that may not be reached.
type forbiddenError struct{ address netip.AddrPort }

func (e *forbiddenError) Error() string {
	return fmt.Sprintf("address %s may not be reached", e.address)
}

// metadata are the addresses at which clouds hand a machine its own credentials.
func metadata() []netip.Addr {
	return []netip.Addr{
		netip.MustParseAddr("169.254.169.254"), // EC2, and most others
		netip.MustParseAddr("169.254.170.2"),   // ECS
		netip.MustParseAddr("169.254.170.23"),  // EKS
		netip.MustParseAddr("fd00:ec2::254"),
		netip.MustParseAddr("fd00:ec2::23"),
		netip.MustParseAddr("100.100.100.200"),
	}
}

// reserved are ranges that lead nowhere on the public internet, or into an IPv4
// network by way of IPv6 (IANA special-purpose registries, RFC 6890 and later).
func reserved() []netip.Prefix {
	ranges := []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15",
		"198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
		"3fff::/20", "5f00::/16", "fec0::/10",
	}
	prefixes := make([]netip.Prefix, len(ranges))
	for i, r := range ranges {
		prefixes[i] = netip.MustParsePrefix(r)
	}
	return prefixes
}

// ports are those at which websites are served. Others lead to services that were
// never meant to be asked by a browser, on whoever's machine.
func ports() []uint16 { return []uint16{80, 443, 8080, 8443} }

// embedded is the IPv4 address to which a gateway would pass on what is sent to an
// IPv6 one: by NAT64 (RFC 6052), 6to4 (RFC 3056) or the old compatible form.
func embedded(ip netip.Addr) (netip.Addr, bool) {
	if !ip.Is6() {
		return netip.Addr{}, false
	}
	b := ip.As16()
	for prefix, at := range map[string]int{"64:ff9b::/96": 12, "::/96": 12, "2002::/16": 2} {
		if netip.MustParsePrefix(prefix).Contains(ip) {
			return netip.AddrFrom4([4]byte(b[at : at+4])), true
		}
	}
	return netip.Addr{}, false
}

// guard decides about addresses.
type guard struct {
	allow    map[netip.AddrPort]bool
	metadata []netip.Addr
	reserved []netip.Prefix
}

// newGuard reads the exceptions, each "address:port". Names are refused: what a
// name leads to is for its owner to say.
func newGuard(allow []string) (*guard, error) {
	g := &guard{allow: map[netip.AddrPort]bool{}, metadata: metadata(), reserved: reserved()}
	for _, a := range allow {
		address, err := netip.ParseAddrPort(a)
		if err != nil {
			return nil, fmt.Errorf("%q is not address:port: %w", a, err)
		}
		g.allow[canonical(address)] = true
	}
	return g, nil
}

func canonical(a netip.AddrPort) netip.AddrPort {
	return netip.AddrPortFrom(a.Addr().Unmap().WithZone(""), a.Port())
}

// check gives nil or *forbiddenError.
func (g *guard) check(a netip.AddrPort) error {
	a = canonical(a)
	ip := a.Addr()
	inner, _ := embedded(ip)
	if slices.Contains(g.metadata, ip) || slices.Contains(g.metadata, inner) {
		return &forbiddenError{a}
	}
	if g.allow[a] {
		return nil
	}
	if !slices.Contains(ports(), a.Port()) || !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.IsLoopback() {
		return &forbiddenError{a}
	}
	for _, r := range g.reserved {
		if r.Contains(ip) {
			return &forbiddenError{a}
		}
	}
	return nil
}
