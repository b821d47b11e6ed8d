package decide

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// ErrHistory is a stored history that this program cannot go on from.
var ErrHistory = errors.New("history cannot be read")

// historyFormat changes whenever an old history would be misread.
const historyFormat = 1

// History is what the scaler has learned, as JSON some hundred kilobytes at most. The
// zero value knows nothing. It survives a restart by being stored and read again.
type History struct{ m memory }

// memory is what a History holds. Times are seconds since 1970.
type memory struct {
	Format  int     `json:"format"`
	Begun   bool    `json:"begun"`
	Last    float64 `json:"last"`    // observation
	Learned float64 `json:"learned"` // the last observation that was believed
	Since   float64 `json:"since"`   // when the present row of observations began
	// Counters as they were at Learned; those of slots as they were known last.
	Accepted float64 `json:"accepted"`
	Counted  bool    `json:"counted"` // those of slots are known
	Worked   float64 `json:"worked"`
	Finished float64 `json:"finished"`

	Depth      float64     `json:"depth"`       // photos waiting and in flight, believed
	Doubted    bool        `json:"doubted"`     // the last reading was too high to be believed at once
	Leader     string      `json:"leader"`      // who answered for the queue
	Size       int         `json:"size"`        // of the fleet, believed
	EmptySince float64     `json:"empty_since"` // the list of instances is empty; 0: it is not
	Wait       waitMemory  `json:"wait"`
	Ratio      ratioMemory `json:"ratio"`
}

// MarshalJSON implements json.Marshaler.
func (h History) MarshalJSON() ([]byte, error) {
	h.m.Format = historyFormat
	text, err := json.Marshal(h.m)
	if err != nil {
		return nil, fmt.Errorf("writing the history: %w", err)
	}
	return text, nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (h *History) UnmarshalJSON(text []byte) error {
	var m memory
	if err := json.Unmarshal(text, &m); err != nil {
		return fmt.Errorf("%w: %w", ErrHistory, err)
	}
	if m.Format != historyFormat {
		return fmt.Errorf("%w: format %d, want %d", ErrHistory, m.Format, historyFormat)
	}
	if err := m.Wait.check(); err != nil {
		return err
	}
	h.m = m
	return nil
}

// check refuses what would lead astray whoever goes on from it.
func (w *waitMemory) check() error {
	c := &w.Calendar
	switch {
	case c.Needs != nil && len(c.Needs) != rememberedMinutes:
		return fmt.Errorf("%w: it has %d minutes", ErrHistory, len(c.Needs))
	case len(c.Shadows) > 0 && (c.Best < 0 || c.Best >= len(c.Shadows)):
		return fmt.Errorf("%w: it follows period %d of %d", ErrHistory, c.Best, len(c.Shadows))
	case len(w.Parade.Shadows) > 0 && (w.Parade.Best < 0 || w.Parade.Best >= len(w.Parade.Shadows)):
		return fmt.Errorf("%w: it follows shadow %d of %d", ErrHistory, w.Parade.Best, len(w.Parade.Shadows))
	default:
		return nil
	}
}

// clone gives a history that shares nothing that changes.
func (h History) clone() History {
	w := &h.m.Wait
	w.Demand.Counts = slices.Clone(w.Demand.Counts)
	w.Calendar.Needs = slices.Clone(w.Calendar.Needs)
	w.Calendar.Shadows = cloneShadows(w.Calendar.Shadows)
	w.Parade.Shadows = cloneShadows(w.Parade.Shadows)
	w.Recent.Entries = slices.Clone(w.Recent.Entries)
	w.Rates = slices.Clone(w.Rates)
	for i := range w.Rates {
		w.Rates[i].Entries = slices.Clone(w.Rates[i].Entries)
	}
	return h
}

// rebase moves by as much as the clock was moved whatever goes on from before.
func (m *memory) rebase(by float64) {
	if m.EmptySince != 0 {
		m.EmptySince += by
	}
	if m.Ratio.Looked != 0 {
		m.Ratio.Looked += by
	}
	w := &m.Wait
	if w.Began != 0 {
		w.Began += by
	}
	w.Hold.rebase(by)
	rebaseStamps(w.Recent.Entries, by)
	for i := range w.Rates {
		rebaseStamps(w.Rates[i].Entries, by)
	}
	for _, shadows := range [][]shadow{w.Calendar.Shadows, w.Parade.Shadows} {
		for i := range shadows {
			rebaseStamps(shadows[i].Recent.Entries, by)
			for j := range shadows[i].Starting {
				shadows[i].Starting[j].At += by
			}
		}
	}
}

func rebaseStamps(stamps []stamped, by float64) {
	for i := range stamps {
		stamps[i].At += by
	}
}
