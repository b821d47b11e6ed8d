package simulate

import (
	"cmp"
	"math/rand/v2"
	"slices"
)

// slot serves one photo at a time; free is when it is done with what it has.
type slot struct {
	free     float64
	number   int // in order of launch, the tie-break
	instance *instance
}

type instance struct {
	launched float64
	ready    float64
	leaving  bool
}

// fleet is the instances of the model: a heap of their slots, that which is free first
// on top, and the bill.
type fleet struct {
	plant    Plant
	slots    []slot
	launched int
	billed   float64
	random   *rand.Rand
}

// minimumBill is what EC2 charges for a start at least, in seconds.
const minimumBill = 60

func newFleet(plant Plant, size int) *fleet {
	f := &fleet{plant: plant, random: rand.New(rand.NewPCG(7, uint64(plant.Seed)))}
	for range size {
		f.add(0, 0)
	}
	return f
}

func (f *fleet) add(now, ready float64) {
	i := &instance{launched: now, ready: ready}
	for range f.plant.SlotsPerInstance {
		f.slots = append(f.slots, slot{ready, f.launched, i})
		f.launched++
		f.up(len(f.slots) - 1)
	}
}

func (f *fleet) launch(now float64, count int) {
	for range count {
		f.add(now, now+f.boot())
	}
}

func (f *fleet) boot() float64 {
	if n := len(f.plant.Boots); n > 0 {
		return f.plant.Boots[f.launched/f.plant.SlotsPerInstance%n]
	}
	boot := f.plant.BootSeconds
	if f.plant.BootJitter > 0 {
		boot += (2*f.random.Float64() - 1) * f.plant.BootJitter
	}
	return boot
}

// retire takes instances out: those that still boot and would be ready last, then the
// idle, then those that are free first. Who works finishes its photo and is paid until
// then.
func (f *fleet) retire(now float64, count int) {
	type candidate struct {
		instance *instance
		free     float64 // when its last slot is
	}
	var all []candidate
	seen := make(map[*instance]int)
	for _, s := range f.slots {
		at, found := seen[s.instance]
		if !found {
			at = len(all)
			seen[s.instance] = at
			all = append(all, candidate{s.instance, s.free})
		}
		all[at].free = max(all[at].free, s.free)
	}
	slices.SortStableFunc(all, func(a, b candidate) int {
		aBoots, bBoots := a.instance.ready > now, b.instance.ready > now
		switch {
		case aBoots && bBoots:
			return cmp.Compare(b.instance.ready, a.instance.ready)
		case aBoots:
			return -1
		case bBoots:
			return +1
		default:
			return cmp.Compare(a.free, b.free)
		}
	})
	for _, c := range all[:count] {
		c.instance.leaving = true
		end := now
		if c.instance.ready <= now {
			end = max(now, c.free)
		}
		f.pay(c.instance, end)
	}
	f.slots = slices.DeleteFunc(f.slots, func(s slot) bool { return s.instance.leaving })
	for i := len(f.slots)/2 - 1; i >= 0; i-- {
		f.down(i)
	}
}

func (f *fleet) pay(i *instance, end float64) {
	f.billed += max(minimumBill, end-i.launched)
}

// payAll closes the bill of those who are still there.
func (f *fleet) payAll(end float64) {
	last := -1
	slices.SortFunc(f.slots, func(a, b slot) int { return cmp.Compare(a.number, b.number) })
	for _, s := range f.slots {
		if number := s.number / f.plant.SlotsPerInstance; number != last {
			f.pay(s.instance, end)
			last = number
		}
	}
}

func less(a, b slot) bool {
	return a.free < b.free || (a.free == b.free && a.number < b.number)
}

func (f *fleet) up(i int) {
	for i > 0 {
		parent := (i - 1) / 2
		if !less(f.slots[i], f.slots[parent]) {
			return
		}
		f.slots[i], f.slots[parent] = f.slots[parent], f.slots[i]
		i = parent
	}
}

func (f *fleet) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(f.slots) {
			return
		}
		if right := child + 1; right < len(f.slots) && less(f.slots[right], f.slots[child]) {
			child = right
		}
		if !less(f.slots[child], f.slots[i]) {
			return
		}
		f.slots[i], f.slots[child] = f.slots[child], f.slots[i]
		i = child
	}
}
