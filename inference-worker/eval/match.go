package eval

import (
	"cmp"
	"slices"

	"maskfleet/pkg/job"
)

// Detection is a face that a detector found.
type Detection struct {
	Class job.Label
	Score float64 // 0 to 1
	Box   Box
}

// What a detection can be matched to beside a face.
const (
	spurious = -1 // to nothing
	excused  = -2 // to a region to be ignored
)

// leastInside is the share of a detection that must lie in a region to be ignored.
const leastInside = 0.5

// match gives each detection the index of its face, or spurious or excused. The
// detections come surest first; each takes the best face that is still free and that
// it overlaps by leastIoU or more.
func match(faces, ignored []Box, detections []Detection, leastIoU float64) []int {
	matches := make([]int, len(detections))
	taken := make([]bool, len(faces))
	for i, d := range detections {
		matches[i] = spurious
		best := min(leastIoU, 1-1e-10) // so that equal boxes match at 1
		for at, face := range faces {
			if iou := d.Box.iou(face); !taken[at] && iou >= best {
				best, matches[i] = iou, at
			}
		}
		if matches[i] != spurious {
			taken[matches[i]] = true
			continue
		}
		if slices.ContainsFunc(ignored, func(region Box) bool { return d.Box.inside(region) >= leastInside }) {
			matches[i] = excused
		}
	}
	return matches
}

// surestFirst gives the detections that keep wants, in order.
func surestFirst(detections []Detection, keep func(Detection) bool) []Detection {
	var kept []Detection
	for _, d := range detections {
		if keep(d) {
			kept = append(kept, d)
		}
	}
	slices.SortStableFunc(kept, func(a, b Detection) int { return cmp.Compare(b.Score, a.Score) })
	return kept
}
