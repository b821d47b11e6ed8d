package vision

import (
	"cmp"
	"slices"
)

const (
	// maxOverlap is how much of their union two faces may share. Faces in a crowd
	// overlap a little; two boxes of one face share most.
	maxOverlap = 0.5
	// maxFaces bounds the work and the answer on a picture made to be full of faces.
	maxFaces = 500
)

// suppressOverlaps keeps the surest box of every face, surest first. A face has one
// box whatever its class: boxes of different classes suppress each other too.
func suppressOverlaps(found []box) []box {
	// Stable: boxes of equal score keep the network's order, so that a photo always
	// gives the same answer.
	slices.SortStableFunc(found, func(a, b box) int { return cmp.Compare(b.score, a.score) })
	var kept []box
	for _, b := range found {
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
func overlap(a, b box) float32 {
	width := min(a.right, b.right) - max(a.left, b.left)
	height := min(a.bottom, b.bottom) - max(a.top, b.top)
	if width <= 0 || height <= 0 {
		return 0
	}
	common := width * height
	return common / (area(a) + area(b) - common)
}

func area(b box) float32 { return (b.right - b.left) * (b.bottom - b.top) }
