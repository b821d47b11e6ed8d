package fleet

import (
	"slices"
	"strings"
	"time"
)

// offer is one kind of instance that can be asked for.
type offer struct {
	Type   string `json:"type"`
	Zone   string `json:"zone"`
	Subnet string `json:"subnet,omitempty"`
}

// order is so many instances of an offer.
type order struct {
	offer
	count int
}

// offers knows what can be had, the cheapest type first, and what could not a moment
// ago.
type offers struct {
	penalty time.Duration
	byType  [][]offer // for each type its zones, in the order of the settings

	aside   map[offer]time.Time // until when an offer is not asked for
	limited time.Time           // until when nothing is
}

func newOffers(c Config) offers {
	o := offers{penalty: c.Penalty, aside: map[offer]time.Time{}}
	for _, instanceType := range c.Types {
		var zones []offer
		for _, zone := range c.Zones {
			name, subnet, _ := strings.Cut(zone, "=")
			zones = append(zones, offer{Type: instanceType, Zone: name, Subnet: subnet})
		}
		o.byType = append(o.byType, zones)
	}
	return o
}

// plan spreads n instances over the zones of the cheapest type that can be had, so that
// all zones come to hold the same; inZone counts those that are there, and refused are
// offers that are not to be tried again. No order means that nothing can be had.
func (o *offers) plan(now time.Time, n int, inZone map[string]int, refused ...offer) []order {
	for _, zones := range o.byType {
		var orders []order
		for _, z := range zones {
			if o.available(now, z) && !slices.Contains(refused, z) {
				orders = append(orders, order{offer: z})
			}
		}
		if len(orders) == 0 {
			continue
		}
		for range n {
			slices.SortStableFunc(orders, func(a, b order) int { return inZone[a.Zone] + a.count - inZone[b.Zone] - b.count })
			orders[0].count++
		}
		return slices.DeleteFunc(orders, func(o order) bool { return o.count == 0 })
	}
	return nil
}

func (o *offers) available(now time.Time, of offer) bool { return !now.Before(o.aside[of]) }

// setAside says that an offer could not be had.
func (o *offers) setAside(now time.Time, of offer) { o.aside[of] = now.Add(o.penalty) }

// find is the offer of a type in a zone, with the subnet of the settings.
func (o *offers) find(instanceType, zone string) offer {
	for _, zones := range o.byType {
		for _, z := range zones {
			if z.Type == instanceType && z.Zone == zone {
				return z
			}
		}
	}
	return offer{Type: instanceType, Zone: zone}
}

// limit says that the account may have no more.
func (o *offers) limit(now time.Time) { o.limited = now.Add(o.penalty) }

func (o *offers) atLimit(now time.Time) bool { return now.Before(o.limited) }
