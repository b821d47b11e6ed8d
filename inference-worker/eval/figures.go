package eval

import (
	"maskfleet/pkg/job"
)

// Figures are all figures of a detector on a data set.
type Figures struct {
	Photos               int                        `json:"photos"`
	Faces                map[job.Label]int          `json:"faces"`
	Ignored              int                        `json:"ignore_regions"`
	Loose                map[job.Label]Number       `json:"ap50"`
	Strict               map[job.Label]Number       `json:"ap50_95"`
	Shipped              map[job.Label]AtThresholds `json:"at_thresholds"`
	Best                 map[job.Label]Threshold    `json:"best_thresholds"`
	Sizes                []SizeRecall               `json:"recall_by_size"`
	Confusion            Confusion                  `json:"confusion"`
	Tagged               map[string]Confusion       `json:"confusion_by_tag"`
	Spurious             map[job.Label]int          `json:"spurious"` // detections that are no face, by their class
	MaskedCalledUnmasked OutOf                      `json:"masked_called_unmasked"`
	Categories           Categories                 `json:"categories"`
	Empty                OutOf                      `json:"false_alarms_on_photos_without_faces"` // photos
	Calibration          []Bin                      `json:"calibration"`
	Costs                map[Step]Times             `json:"cpu_ms"`
	Curves               map[job.Label][]float64    `json:"-"` // precision at recall 0, 0.01, … 1
}

// meanOfClasses is the key of the mean over the classes.
const meanOfClasses job.Label = "mean"

// AtThresholds says how one class does as it is shipped.
type AtThresholds struct {
	Precision Number `json:"precision"`
	Recall    Number `json:"recall"`
	Right     int    `json:"true_positives"`
	Wrong     int    `json:"false_positives"`
	Missed    int    `json:"false_negatives"`
}

// OutOf is a part of a whole.
type OutOf struct {
	Count int    `json:"count"`
	Of    int    `json:"of"`
	Share Number `json:"share"`
}

func outOf(count, of int) OutOf { return OutOf{count, of, share(count, of)} }

// Measure compares a run with what is in the photos.
func Measure(set DataSet, run Run) Figures {
	photos := set.Photos
	f := Figures{
		Photos: len(photos), Faces: make(map[job.Label]int),
		Loose: make(map[job.Label]Number), Strict: make(map[job.Label]Number),
		Shipped: make(map[job.Label]AtThresholds), Best: make(map[job.Label]Threshold), Curves: make(map[job.Label][]float64),
		Costs: times(run.Costs),
	}
	for _, photo := range photos {
		f.Ignored += len(photo.Ignored)
	}
	for _, class := range append(classes(), anyFace) {
		loose := rank(photos, run.All, class, looseIoU)
		f.Faces[class] = loose.faces
		f.Loose[class] = loose.averagePrecision()
		f.Best[class] = loose.bestThreshold()
		if loose.faces > 0 {
			f.Curves[class] = loose.curve()
		}
		var strict []float64
		for _, leastIoU := range iouSteps() {
			strict = append(strict, float64(rank(photos, run.All, class, leastIoU).averagePrecision()))
		}
		f.Strict[class] = mean(strict)
		f.Shipped[class] = atThresholds(rank(photos, run.Shipped, class, looseIoU))
	}
	f.Loose[meanOfClasses], f.Strict[meanOfClasses] = overClasses(f.Loose), overClasses(f.Strict)
	f.addFaceByFace(photos, run.Shipped)
	f.Categories = measureCategories(photos, run.Shipped)
	f.Empty = falseAlarms(photos, run.Shipped)
	f.Calibration = calibrate(photos, run.All)
	return f
}

// overClasses leaves out classes of which there is no face.
func overClasses(figures map[job.Label]Number) Number {
	var existing []float64
	for _, class := range classes() {
		if figures[class].Exists() {
			existing = append(existing, float64(figures[class]))
		}
	}
	return mean(existing)
}

func atThresholds(r ranking) AtThresholds {
	right := 0
	for _, d := range r.detections {
		if d.right {
			right++
		}
	}
	return AtThresholds{
		Precision: share(right, len(r.detections)), Recall: share(right, r.faces),
		Right: right, Wrong: len(r.detections) - right, Missed: r.faces - right,
	}
}
