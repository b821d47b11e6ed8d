package eval

import (
	"cmp"
	"slices"
	"sort"

	"maskfleet/pkg/job"
)

// anyFace stands for all classes merged.
const anyFace job.Label = "face"

// classes are the labels that are told apart, in the order they are shown in.
func classes() []job.Label {
	return []job.Label{job.LabelMasked, job.LabelUnmasked, job.LabelIncorrect}
}

// ofClass says whether a label belongs to the class, which may be anyFace.
func ofClass(class job.Label) func(job.Label) bool {
	return func(label job.Label) bool { return class == anyFace || label == class }
}

const (
	recallPoints = 101
	looseIoU     = 0.5 // from which a box counts as right, where nothing else is said
)

// iouSteps are the overlaps that COCO averages over: 0.50, 0.55, … 0.95.
func iouSteps() []float64 {
	steps := make([]float64, 10)
	for i := range steps {
		steps[i] = looseIoU + 0.05*float64(i)
	}
	return steps
}

// scored is a detection that counts.
type scored struct {
	score float64
	right bool
}

// ranking is what precision and recall are made of.
type ranking struct {
	detections []scored // surest first
	faces      int
}

// rank matches the detections of one class in all photos.
func rank(photos []Photo, found [][]Detection, class job.Label, leastIoU float64) ranking {
	var all ranking
	belongs := ofClass(class)
	for i, photo := range photos {
		faces := photo.boxesOf(class)
		all.faces += len(faces)
		detections := surestFirst(found[i], func(d Detection) bool { return belongs(d.Class) })
		for at, matched := range match(faces, photo.Ignored, detections, leastIoU) {
			if matched != excused {
				all.detections = append(all.detections, scored{detections[at].Score, matched != spurious})
			}
		}
	}
	slices.SortStableFunc(all.detections, func(a, b scored) int { return cmp.Compare(b.score, a.score) })
	return all
}

// curve gives for each of the recallPoints the best precision at that recall or a
// higher one; 0 where that recall is never reached.
func (r ranking) curve() []float64 {
	var recall, precision []float64
	right := 0
	for i, d := range r.detections {
		if d.right {
			right++
		}
		recall = append(recall, float64(right)/float64(r.faces))
		precision = append(precision, float64(right)/float64(i+1))
	}
	for i := len(precision) - 1; i > 0; i-- {
		precision[i-1] = max(precision[i-1], precision[i])
	}
	points := make([]float64, recallPoints)
	for i := range points {
		if at := sort.SearchFloat64s(recall, float64(i)*0.01); at < len(precision) {
			points[i] = precision[at]
		}
	}
	return points
}

// averagePrecision is the mean of the curve; none without faces.
func (r ranking) averagePrecision() Number {
	if r.faces == 0 {
		return none()
	}
	return mean(r.curve())
}
