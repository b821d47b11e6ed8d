package webui

import (
	"math"
	"net/url"
	"strconv"
	"time"
)

// WantRow is one of the numbers that a decision was made of.
type WantRow struct {
	Name      string
	Instances int
	Why       string
	Decided   bool
}

// Word is its name as people say it.
func (w WantRow) Word() string {
	if w.Name == "cpu" {
		return "CPU"
	}
	return capital(w.Name)
}

// Explains says what asks, for who meets it first. What is not known here explains
// itself by its Why alone.
func (w WantRow) Explains() string {
	return map[string]string{
		"rate":     "for the photos that come in now",
		"surge":    "for a jump of the load that may go on",
		"backlog":  "to be done with what waits in time",
		"reserve":  "spare slots for a burst",
		"clock":    "for a burst that comes at this time",
		"newcomer": "until the traffic is known",
		"hold":     "what was wanted a moment ago is kept for a while, for a lull may end",
		"manual":   "the size that the policy names",
		"cpu":      "by the workers’ CPU",
	}[w.Name]
}

// ReadingRow is one of the readings that the scaler goes by.
type ReadingRow struct {
	Name    string
	Known   bool
	Age     time.Duration
	Trouble string
}

// DecisionView is the last decision, whole.
type DecisionView struct {
	DecisionRow
	Version int
	Wants   []WantRow
	Blindly []string // why the readings are not trusted
	Within  int      // what the policy would have, within its bounds
	Why     string   // it would
}

// PolicyField is a number of the policy's form.
type PolicyField struct {
	Name, Label, Unit, Hint string
	Value                   string
	Least, Most, Step       string
}

// PolicyForm is the policy as a form. Its values are text, so that what somebody typed
// comes back to them.
type PolicyForm struct {
	Kind      string
	Fields    map[string]PolicyField // by name
	Schedules string                 // JSON; empty: none
	Revision  string                 // of the document that it was made from
	Size      int                    // of the fleet now, for what comes of a ratio
	Candidate bool                   // these are not the policy's values, but what somebody tries
}

// With is the form with what somebody typed in the place of its values.
func (f PolicyForm) With(typed url.Values) PolicyForm {
	fields := make(map[string]PolicyField, len(f.Fields))
	for name, field := range f.Fields {
		if typed.Has(name) {
			field.Value = typed.Get(name)
		}
		fields[name] = field
	}
	f.Kind, f.Fields, f.Schedules, f.Candidate = typed.Get("policy"), fields, typed.Get("schedules"), true
	return f
}

// Field is the field of a name, for the template.
func (f PolicyForm) Field(name string) PolicyField { return f.Fields[name] }

// Grown is what the ratio makes of the fleet there is, when the CPU is above the
// threshold.
func (f PolicyForm) Grown() string {
	by, err := strconv.ParseFloat(f.Fields["expand"].Value, 64)
	if err != nil || f.Size == 0 {
		return ""
	}
	n := max(f.Size+1, int(math.Ceil(float64(f.Size)*by-1e-9)))
	return f.become(n)
}

// Shrunk is what it makes of it when the CPU is below.
func (f PolicyForm) Shrunk() string {
	keep, err := strconv.ParseFloat(f.Fields["keep"].Value, 64)
	if err != nil || f.Size == 0 {
		return ""
	}
	n := min(f.Size-1, int(math.Floor(float64(f.Size)*keep/100+1e-9)))
	return f.become(n)
}

func (f PolicyForm) become(n int) string {
	least, _ := strconv.Atoi(f.Fields["min"].Value)
	most, err := strconv.Atoi(f.Fields["max"].Value)
	if err == nil {
		n = max(least, min(most, n))
	}
	return Count(f.Size, "worker becomes", "workers become") + " " + Number(n)
}

// PolicyFields are the numbers of the form, in its order, with their ranges.
func PolicyFields() []PolicyField {
	return []PolicyField{
		{Name: "min", Label: "At least", Unit: "instances", Least: "1", Most: "10000", Step: "1"},
		{Name: "max", Label: "At most", Unit: "instances", Least: "1", Most: "10000", Step: "1"},
		{Name: "slots", Label: "Slots of an instance", Unit: "slots", Hint: "1 to 256: photos that it works on at once", Least: "1", Most: "256", Step: "1"},
		{Name: "tick", Label: "A decision every", Unit: "s", Hint: "0.1 to 60", Least: "0.1", Most: "60", Step: "any"},
		{Name: "target", Label: "A photo is late after", Unit: "s", Hint: "0.1 to 3 600", Least: "0.1", Most: "3600", Step: "any"},
		{Name: "price", Label: "A late photo costs", Unit: "× its work", Hint: "0 to 10 000: 16 means that sixteen times its work may be spent to avoid it", Least: "0", Most: "10000", Step: "any"},
		{Name: "boot", Label: "A boot takes", Unit: "s", Hint: "0.1 to 3 600; until it has been measured", Least: "0.1", Most: "3600", Step: "any"},
		{Name: "service", Label: "A photo takes", Unit: "s", Hint: "in a slot; until it has been measured", Least: "0.0001", Most: "3600", Step: "any"},
		{Name: "above", Label: "Grow above", Unit: "% CPU", Hint: "mean of all workers, over two minutes", Least: "1", Most: "100", Step: "any"},
		{Name: "expand", Label: "by", Unit: "×", Hint: "1.01 to 100", Least: "1.01", Most: "100", Step: "any"},
		{Name: "below", Label: "Shrink below", Unit: "% CPU", Hint: "0 to 99", Least: "0", Most: "99", Step: "any"},
		{Name: "keep", Label: "and keep", Unit: "%", Hint: "0 to 99, of the workers", Least: "0", Most: "99", Step: "any"},
		{Name: "size", Label: "Instances", Unit: "always", Hint: "0 to 10 000, within at least and at most", Least: "0", Most: "10000", Step: "1"},
	}
}

// VersionRow is a policy document that was put.
type VersionRow struct {
	Revision uint64
	PutAt    time.Time
	Version  int
	Kind     string
	Who      string // empty: not on record
	How      string // such as "by page"
	Refusal  string // why it was never followed
	Now      bool   // it is the one that was put last
}

// ScalingPage fills page "scaling".
type ScalingPage struct {
	Frame
	At       time.Time
	Troubles []Trouble
	Scaler   ScalerState
	Decision *DecisionView
	Refusal  string // why the document that was put last is not followed
	Readings []ReadingRow

	Form     PolicyForm
	FormRead bool // the scaler said what the policy is
	Versions []VersionRow
	Log      []DecisionRow
	LogRead  bool
}

// DecisionsPage fills page "decisions".
type DecisionsPage struct {
	Frame
	Changes bool // only those that wanted another size
	Rows    []DecisionRow
	Next    string // the address of the page before in time; empty: that was all
}

// DecisionsURL is the address of decisions, older than one if it is named.
func DecisionsURL(changes bool, before string) string {
	values := url.Values{}
	if changes {
		values.Set("changes", "yes")
	}
	if before != "" {
		values.Set("before", before)
	}
	return withQuery("/scaling/decisions", values)
}

// PausePolicyPage fills page "freeze": for how long, and why.
type PausePolicyPage struct {
	Frame
	Size int
	Does Command
}

// ReplayColumn is what came of the last day, or would have by a policy.
type ReplayColumn struct {
	Name          string
	InstanceHours float64
	LateShare     float64
	LateAfter     float64
	Longest       float64
	Launches      int
	Peak          int
}

// ReplayPage fills page "replay".
type ReplayPage struct {
	Frame
	From, To time.Time
	Photos   int
	Columns  []ReplayColumn // what happened, the policy in force, the candidate
	// Instances and Waiting are over the time that was played.
	Instances, Waiting Chart
	Says               string
	Notes              []string
	Fields             []Field // of the candidate's form
	Back               string
	Does               Command
}

// Best says which column has the least of a measure.
func (p ReplayPage) Best(measure string, at int) bool {
	of := func(c ReplayColumn) float64 {
		switch measure {
		case "cost":
			return c.InstanceHours
		case "late":
			return c.LateShare
		default:
			return c.Longest
		}
	}
	for i, c := range p.Columns {
		if of(c) < of(p.Columns[at]) || i != at && of(c) == of(p.Columns[at]) {
			return false // of equals none is the best
		}
	}
	return true
}

// Bar is how long a bar of a measure is, of the longest of them, 0 to 1.
func (p ReplayPage) Bar(measure string, at int) float64 {
	most := 0.0
	value := func(c ReplayColumn) float64 {
		if measure == "cost" {
			return c.InstanceHours
		}
		return c.LateShare
	}
	for _, c := range p.Columns {
		most = max(most, value(c))
	}
	if most == 0 {
		return 0
	}
	return value(p.Columns[at]) / most
}

// Tenths writes a number with one place: "31.2".
func Tenths(n float64) string { return strconv.FormatFloat(n, 'f', 1, 64) }

// Hundredths writes a share as per cent with two places: "0.41 %".
func Hundredths(ratio float64) string {
	return strconv.FormatFloat(100*ratio, 'f', 2, 64) + thinSpace + "%"
}

// fleetCommands do what the buttons of the fleet's page do.
func fleetCommands() []Command {
	area := "maskfleet.scaler."
	return []Command{
		NewCommand("does-grow", area+"grow", []byte(`{"by":1}`)), NewCommand("does-shrink", area+"shrink", []byte(`{"by":1}`)),
		NewCommand("does-resize", area+"resize", []byte(`{"size":3,"for":"20m","why":"the open day"}`)),
		NewCommand("does-terminate", area+"terminate-all", []byte(`{"why":"the store moves"}`)), NewCommand("does-resume", area+"resume", []byte(`{}`)),
	}
}
