package fleet

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestPlanSpreadsOverZonesOfTheCheapestType(t *testing.T) {
	t.Parallel()
	now := time.Now()
	config := Config{Types: []string{"cheap", "dear"}, Zones: []string{"a=subnet-1", "b", "c"}, Penalty: time.Minute}
	cheap := func(zone string) offer {
		return offer{Type: "cheap", Zone: zone, Subnet: map[string]string{"a": "subnet-1"}[zone]}
	}
	for _, test := range []struct {
		name   string
		aside  []offer
		inZone map[string]int
		n      int
		want   map[string]int
	}{
		{name: "evenly", n: 7, want: map[string]int{"cheap a": 3, "cheap b": 2, "cheap c": 2}},
		{name: "the emptiest first", inZone: map[string]int{"a": 2, "b": 1}, n: 3, want: map[string]int{"cheap b": 1, "cheap c": 2}},
		{name: "one zone has none left", aside: []offer{cheap("b")}, n: 2, want: map[string]int{"cheap a": 1, "cheap c": 1}},
		{name: "all zones have none left", aside: []offer{cheap("a"), cheap("b"), cheap("c")}, n: 2, want: map[string]int{"dear a": 1, "dear b": 1}},
		{name: "none is wanted", want: map[string]int{}},
	} {
		o := newOffers(config)
		for _, a := range test.aside {
			o.setAside(now, a)
		}
		got := map[string]int{}
		for _, order := range o.plan(now, test.n, test.inZone) {
			got[order.Type+" "+order.Zone] = order.count
		}
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestOfferComesBackAfterItsPenalty(t *testing.T) {
	t.Parallel()
	now := time.Now()
	o := newOffers(Config{Types: []string{"only"}, Zones: []string{"a"}, Penalty: time.Minute})
	o.setAside(now, offer{Type: "only", Zone: "a"})
	if orders := o.plan(now.Add(time.Minute-1), 1, nil); orders != nil {
		t.Errorf("within the penalty: %v", orders)
	}
	if orders := o.plan(now.Add(time.Minute), 1, nil); len(orders) != 1 {
		t.Errorf("after it: %v", orders)
	}
}
