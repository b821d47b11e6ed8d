package vision

import (
	"cmp"
	"slices"
)

const (
	// maxFaces bounds the answer on a picture made to be full of faces.
	maxFaces = 500
	// maxCandidates bounds the work on it.
	maxCandidates = 5000
)

// suppressOverlaps keeps the surest box of every face, surest first: boxes of two
// faces share at most maxOverlap of their union. A face has one box whatever its
// class: boxes of different classes suppress each other too.
func suppressOverlaps(found []box, maxOverlap float64) []box {
	// Stable: boxes of equal score keep the network's order, so that a photo always
	// gives the same answer.
	slices.SortStableFunc(found, func(a, b box) int { return cmp.Compare(b.score, a.score) })
	var kept []box
	for _, b := range found[:min(len(found), maxCandidates)] {
		if len(kept) == maxFaces {
			break
		}
		if !slices.ContainsFunc(kept, func(k box) bool { return overlap(k, b) > maxOverlap }) {
			kept = append(kept, b)
		}
	}
	return kept
}

// overlap is the share of the union that two boxes have in common, 0 to 1.
func overlap(a, b box) float64 {
	shared := common(a, b)
	if shared == 0 {
		return 0
	}
	return shared / (a.area() + b.area() - shared)
}

// common is the area that two boxes share.
func common(a, b box) float64 {
	width := min(a.right, b.right) - max(a.left, b.left)
	height := min(a.bottom, b.bottom) - max(a.top, b.top)
	if width <= 0 || height <= 0 {
		return 0
	}
	return width * height
}
