package linkfetch

import (
	"net/netip"
	"testing"
)

// FuzzGuard: no address of a network of ours passes, in whatever form it is written.
func FuzzGuard(f *testing.F) {
	for _, seed := range []string{"10.0.0.1", "::ffff:127.0.0.1", "64:ff9b::a00:1", "2002:a9fe:a9fe::", "::7f00:1", "fe80::1", "8.8.8.8", "2606:4700::1111"} {
		f.Add(netip.MustParseAddr(seed).AsSlice())
	}
	g, err := newGuard(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, bytes []byte) {
		ip, ok := netip.AddrFromSlice(bytes)
		if !ok || g.check(netip.AddrPortFrom(ip, 443)) != nil {
			return
		}
		inner, _ := embedded(ip.Unmap())
		for _, a := range []netip.Addr{ip, ip.Unmap(), inner} {
			if a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() || a.IsInterfaceLocalMulticast() {
				t.Errorf("%s passes, by %s", ip, a)
			}
		}
	})
}
