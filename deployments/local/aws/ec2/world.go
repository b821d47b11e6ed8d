package ec2

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"slices"
)

// zone is an availability zone and its one subnet.
type zone struct {
	name, id, subnet string
	prefix           netip.Prefix
}

// The network is that of an account nobody has touched: one VPC over the host's part
// of loopback, one subnet in each zone, one security group.
const (
	subnetBits = 20 // of a subnet's prefix
	zonesInVPC = 3
	groupName  = "default"
)

// fixedID makes an identifier that is the same after every start.
func fixedID(kind, of string) string {
	digest := sha256.Sum256([]byte(kind + of))
	return kind + "-0" + hex.EncodeToString(digest[:8])
}

// newID makes one that nobody had before.
func newID(kind string) string {
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	return kind + "-0" + hex.EncodeToString(random[:])
}

// zonesOf divides the host's network.
func zonesOf(region string, network netip.Prefix) []zone {
	var zones []zone
	base := network.Addr().As4()
	for i := range zonesInVPC {
		letter := string(rune('a' + i))
		const perSubnet = 16 // in the third figure of an address
		base[2] = byte(i * perSubnet)
		zones = append(zones, zone{
			name: region + letter, id: "euc1-az" + string(rune('1'+i)), subnet: fixedID("subnet", region+letter),
			prefix: netip.PrefixFrom(netip.AddrFrom4(base), subnetBits),
		})
	}
	return zones
}

func (e *EC2) vpc() string   { return fixedID("vpc", e.config.Region) }
func (e *EC2) group() string { return fixedID("sg", e.config.Region) }

// Network tells other services where instances are: the VPC and its subnets.
func (e *EC2) Network() (vpc string, subnets []string) {
	for _, z := range e.zones {
		subnets = append(subnets, z.subnet)
	}
	return e.vpc(), subnets
}

func (e *EC2) zone(name string) (zone, bool) {
	i := slices.IndexFunc(e.zones, func(z zone) bool { return z.name == name })
	if i < 0 {
		return zone{}, false
	}
	return e.zones[i], true
}

func (e *EC2) zoneOfSubnet(subnet string) (zone, bool) {
	i := slices.IndexFunc(e.zones, func(z zone) bool { return z.subnet == subnet })
	if i < 0 {
		return zone{}, false
	}
	return e.zones[i], true
}

// freeAddress is one in the zone that no instance holds. As on AWS, the first four of
// a subnet and the last are not for instances. What was free for longest comes first,
// so that a late request to a gone instance does not meet the next one.
func (e *EC2) freeAddress(z zone) (netip.Addr, bool) {
	held := make(map[netip.Addr]bool)
	for _, i := range e.kept.Instances {
		if i.holdsAddress() {
			held[i.Address] = true
		}
	}
	address := e.kept.LastAddress[z.name]
	if !address.IsValid() || !z.prefix.Contains(address) {
		address = firstAddress(z.prefix)
	}
	const most = 1 << (32 - subnetBits)
	for range most {
		address = address.Next()
		if !z.prefix.Contains(address.Next()) {
			address = firstAddress(z.prefix)
		}
		if !held[address] {
			e.kept.LastAddress[z.name] = address
			return address, true
		}
	}
	return netip.Addr{}, false
}

// firstAddress is the first that instances may have.
func firstAddress(prefix netip.Prefix) netip.Addr {
	address := prefix.Addr()
	for range 4 {
		address = address.Next()
	}
	return address
}
