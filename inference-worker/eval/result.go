package eval

import (
	"maskfleet/pkg/job"
)

// Side is a detector's figures, with the corrections of the boxes and without.
type Side struct {
	Model     job.Model `json:"model"`
	Figures   Figures   `json:"figures"`
	Corrected *Figures  `json:"corrected,omitempty"`
}

// Result is all that is said of a detector, and of another one beside it.
type Result struct {
	Folder      string `json:"folder"`
	Split       string `json:"split"`
	Corrections int    `json:"corrections"` // boxes
	Side
	Against *Side `json:"against,omitempty"`
	// Difference is what the detector has more than the other, by the figure's path.
	Difference map[string]Number `json:"difference,omitempty"`
	// CPUMultiple is its CPU time over the other's.
	CPUMultiple map[Step]Times `json:"cpu_multiple,omitempty"`
}

// Subject is a data set and what is wrong with its boxes, if that is known.
type Subject struct {
	Set         DataSet
	Corrected   *DataSet
	Corrections int // boxes
}

// Evaluate measures a run, and another one of the same photos unless it is nil.
func Evaluate(subject Subject, run Run, against *Run) Result {
	r := Result{
		Folder: subject.Set.Dir, Split: subject.Set.Split,
		Corrections: subject.Corrections, Side: subject.measure(run),
	}
	if against == nil {
		return r
	}
	other := subject.measure(*against)
	r.Against, r.Difference = &other, make(map[string]Number)
	others := other.Figures.Rows()
	for i, row := range r.Figures.Rows() {
		r.Difference[row.ID] = row.Value - others[i].Value
	}
	r.CPUMultiple = multiples(r.Figures.Costs, other.Figures.Costs)
	return r
}

func (s Subject) measure(run Run) Side {
	side := Side{Model: run.Model, Figures: Measure(s.Set, run)}
	if s.Corrected != nil {
		corrected := Measure(*s.Corrected, run)
		side.Corrected = &corrected
	}
	return side
}

func multiples(ours, others map[Step]Times) map[Step]Times {
	all := make(map[Step]Times)
	for _, step := range stepsShown() {
		all[step] = Times{over(ours[step].Mean, others[step].Mean), over(ours[step].Median, others[step].Median)}
	}
	return all
}

func over(part, whole Number) Number {
	if whole == 0 {
		return none()
	}
	return part / whole
}
