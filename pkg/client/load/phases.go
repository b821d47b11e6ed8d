package load

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"
)

// Phase is a time with a rate, or with one that changes evenly.
type Phase struct {
	Length   time.Duration
	From, To float64 // uploads a second at its beginning and its end
}

// Steady is one phase: count uploads at a rate.
func Steady(rate float64, count int) Phase {
	return Phase{Length: time.Duration(float64(count) / rate * float64(time.Second)), From: rate, To: rate}
}

// ParsePhases reads phases such as "60s@5,2m@5-20,60s@20": a minute at 5 a second,
// two minutes in which the rate grows to 20, a minute at 20.
func ParsePhases(text string) ([]Phase, error) {
	var phases []Phase
	for part := range strings.SplitSeq(text, ",") {
		p, err := parsePhase(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("phase %q: %w", part, err)
		}
		phases = append(phases, p)
	}
	return phases, nil
}

func parsePhase(text string) (p Phase, err error) {
	length, rates, found := strings.Cut(text, "@")
	if !found {
		return p, errors.New("want a length and a rate, such as 60s@5 or 60s@5-20")
	}
	if p.Length, err = time.ParseDuration(length); err != nil {
		return p, err
	}
	from, to, changes := strings.Cut(rates, "-")
	if p.From, err = parseRate(from); err != nil {
		return p, err
	}
	p.To = p.From
	if changes {
		if p.To, err = parseRate(to); err != nil {
			return p, err
		}
	}
	return p, p.validate()
}

func parseRate(text string) (float64, error) {
	rate, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(rate) || math.IsInf(rate, 0) || rate < 0 {
		return 0, fmt.Errorf("%q is no rate", text)
	}
	return rate, nil
}

func (p Phase) validate() error {
	if p.Length <= 0 {
		return errors.New("its length must be more than nothing")
	}
	return nil
}

// Count is how many uploads the phase has.
func (p Phase) Count() int { return int(math.Round(p.Length.Seconds() * (p.From + p.To) / 2)) }

// due gives the times of the phase's uploads, from its beginning. After time t there
// were From·t + (To-From)·t²/2·Length of them; this is that solved for t.
func (p Phase) due() iter.Seq[time.Duration] {
	return func(yield func(time.Duration) bool) {
		steep := (p.To - p.From) / p.Length.Seconds()
		for n := range p.Count() {
			t := float64(n) / p.From
			if steep != 0 {
				t = (math.Sqrt(p.From*p.From+2*steep*float64(n)) - p.From) / steep
			}
			if !yield(time.Duration(t * float64(time.Second))) {
				return
			}
		}
	}
}

// String gives the phase as ParsePhases reads it.
func (p Phase) String() string {
	if p.From == p.To {
		return fmt.Sprintf("%s@%g", p.Length, p.From)
	}
	return fmt.Sprintf("%s@%g-%g", p.Length, p.From, p.To)
}
