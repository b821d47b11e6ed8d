package decide

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"maskfleet/pkg/strictjson"
)

// OverrideKind is what a person puts in the policy's place.
type OverrideKind string

// The kinds, the strongest first.
const (
	Pin    OverrideKind = "pin"    // a size, also outside the policy's bounds
	Freeze OverrideKind = "freeze" // the size there is
	Bounds OverrideKind = "bounds" // other bounds for the policy
)

// strength says which kind stands when there are several.
func (k OverrideKind) strength() int {
	return slices.Index([]OverrideKind{Bounds, Freeze, Pin}, k)
}

// Override is what a person said, for a time.
type Override struct {
	Kind OverrideKind `json:"kind"`
	Size int          `json:"size"`         // of a pin
	Min  int          `json:"min,omitzero"` // of bounds
	Max  int          `json:"max,omitzero"`
	Who  string       `json:"who"`
	Why  string       `json:"why"`
	// Until is when it ends by itself; zero: when it is taken out of the policy.
	Until time.Time `json:"until,omitzero"`

	sizeless bool // a pin in whose document no size stands
}

// UnmarshalJSON reads an override and notes whether a pin says its size: who forgets it
// means anything but nobody.
func (o *Override) UnmarshalJSON(text []byte) error {
	type plain Override // without this method
	var read struct {
		plain
		Size *int `json:"size"` // in the place of the other's
	}
	if err := strictjson.Read(text, &read); err != nil {
		return err
	}
	*o = Override(read.plain)
	if read.Size != nil {
		o.Size = *read.Size
	}
	o.sizeless = o.Kind == Pin && read.Size == nil
	return nil
}

// MarshalJSON leaves out the size of what has none; a pin may be to nobody.
func (o Override) MarshalJSON() ([]byte, error) {
	type plain Override // without this method
	if o.Kind == Pin {
		return json.Marshal(plain(o))
	}
	return json.Marshal(struct {
		plain
		Size int `json:"size,omitzero"` // in the place of the other's
	}{plain: plain(o)})
}

func (o Override) check(c *checker, i int) {
	name := fmt.Sprintf("overrides[%d]", i)
	c.check(o.Who != "" && o.Why != "", "%s does not say who and why", name)
	c.check(len(o.Who) <= maxNameBytes && len(o.Why) <= maxWhyBytes, "%s has a who of more than %d or a why of more than %d bytes", name, maxNameBytes, maxWhyBytes)
	switch o.Kind {
	case Pin:
		c.check(!o.sizeless, "%s pins the fleet and does not say to which size", name)
		c.check(o.Size >= 0 && o.Size <= MaxInstances, "%s.size is %d, want 0 to %d", name, o.Size, MaxInstances)
		c.check(o.Min == 0 && o.Max == 0, "%s pins a size and has bounds", name)
	case Freeze:
		c.check(o.Size == 0 && o.Min == 0 && o.Max == 0, "%s freezes the size and names one", name)
	case Bounds:
		c.check(o.Min >= 1 && o.Min <= o.Max && o.Max <= MaxInstances, "%s is from %d to %d, want 1 to %d at most", name, o.Min, o.Max, MaxInstances)
		c.check(o.Size == 0, "%s has bounds and pins a size", name)
	default:
		c.check(false, "%s.kind is %.40q, want pin, freeze or bounds", name, o.Kind)
	}
}

// override gives the strongest that is in force, of equals the last.
func (p Policy) override(at time.Time) *Override {
	var strongest *Override
	for i := range p.Overrides {
		o := p.Overrides[i]
		if !o.Until.IsZero() && !at.Before(o.Until) {
			continue
		}
		if strongest == nil || o.Kind.strength() >= strongest.Kind.strength() {
			strongest = &o
		}
	}
	return strongest
}

// wantsNobody says whether a person has pinned the fleet to nobody.
func (p Policy) wantsNobody(at time.Time) bool {
	o := p.override(at)
	return o != nil && o.Kind == Pin && o.Size == 0
}

// words says what was overridden, as part of a reason.
func (o Override) words() string {
	text := fmt.Sprintf("%s by %s (%s)", o.Kind, o.Who, o.Why)
	if o.Until.IsZero() {
		return text + " until released"
	}
	return text + " until " + o.Until.UTC().Format(time.RFC3339)
}
