package eval

import (
	"fmt"

	"maskfleet/pkg/job"
)

// Row is one figure under a name that stays.
type Row struct {
	Group string
	What  string
	ID    string // the figure's path in the JSON object
	Value Number
	unit  unit
}

type unit int

const (
	points unit = iota // 0 to 1, shown with three places
	percent
	milliseconds
)

func (u unit) format(n Number) string {
	switch {
	case !n.Exists():
		return "–"
	case u == percent:
		return fmt.Sprintf("%.2f %%", 100*n)
	case u == milliseconds:
		return fmt.Sprintf("%.2f ms", n)
	default:
		return fmt.Sprintf("%.3f", n)
	}
}

// formatChange shows a difference, with its sign; of shares in percentage points.
func (u unit) formatChange(n Number) string {
	if n.Exists() && u == percent {
		return fmt.Sprintf("%+.2f pp", 100*n)
	}
	if n.Exists() && n >= 0 {
		return "+" + u.format(n)
	}
	return u.format(n)
}

// Text shows the figure to people.
func (r Row) Text() string { return r.unit.format(r.Value) }

// Rows lists all figures but the counts, in the order they are shown in.
func (f Figures) Rows() []Row {
	var rows []Row
	for _, ap := range []struct {
		group, id string
		figures   map[job.Label]Number
	}{
		{"average precision, IoU 0.5", "ap50", f.Loose},
		{"average precision, IoU 0.5 to 0.95", "ap50_95", f.Strict},
	} {
		for _, class := range append(classes(), meanOfClasses, anyFace) {
			rows = append(rows, Row{ap.group, className(class), ap.id + "." + string(class), ap.figures[class], points})
		}
	}
	for _, class := range append(classes(), anyFace) {
		at, id := f.Shipped[class], "at_thresholds."+string(class)
		rows = append(rows,
			Row{"at the shipped thresholds", "precision, " + className(class), id + ".precision", at.Precision, points},
			Row{"at the shipped thresholds", "recall, " + className(class), id + ".recall", at.Recall, points})
	}
	rows = append(rows, Row{"at the shipped thresholds", "masked called unmasked, of found masked faces", "masked_called_unmasked.share", f.MaskedCalledUnmasked.Share, percent})
	for _, class := range classes() {
		best, id := f.Best[class], "best_thresholds."+string(class)
		rows = append(rows,
			Row{"at the thresholds that would be best here", "confidence, " + className(class), id + ".confidence", best.Confidence, points},
			Row{"at the thresholds that would be best here", "F1, " + className(class), id + ".f1", best.F1, points})
	}
	for i, s := range f.Sizes {
		rows = append(rows, Row{"recall by size of the face, of the photo's longer side", s.Name, fmt.Sprintf("recall_by_size.%d.recall", i), s.Recall, points})
	}
	rows = append(rows,
		Row{"photos", "in the right category", "categories.accuracy", f.Categories.Accuracy, percent},
		Row{"photos", "without faces, but one is found", "false_alarms_on_photos_without_faces.share", f.Empty.Share, percent})
	for _, step := range stepsShown() {
		rows = append(rows,
			Row{"CPU time a photo", stepName(step) + ", mean", "cpu_ms." + string(step) + ".mean", f.Costs[step].Mean, milliseconds},
			Row{"CPU time a photo", stepName(step) + ", median", "cpu_ms." + string(step) + ".median", f.Costs[step].Median, milliseconds})
	}
	return rows
}

func className(class job.Label) string {
	switch class {
	case anyFace:
		return "face, classes merged"
	case meanOfClasses:
		return "mean of the classes"
	default:
		return string(class)
	}
}

func stepName(step Step) string {
	switch step {
	case stepTotal:
		return "all steps"
	case stepDecoded:
		return "all steps but decoding"
	default:
		return string(step)
	}
}
