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

// suppressOverlaps sorts found by score and keeps the best box of every face:
// boxes of two faces share at most maxOverlap of their union. A face has one box
// whatever its class: boxes of different classes suppress each other too.
func suppressOverlaps(found []box, maxOverlap float64) []box {
	// Stable: boxes of equal score keep the network's order, so that a photo always
	// gives the same answer.
	slices.SortStableFunc(found, func(a, b box) int { return cmp.Compare(b.score, a.score) })
	var kept []box
	for i := range found[:min(len(found), maxCandidates)] {
		if len(kept) == maxFaces {
			break
		}
		if !overlapsAny(&found[i], kept, maxOverlap) {
			kept = append(kept, found[i])
		}
	}
	return kept
}

func overlapsAny(b *box, kept []box, maxOverlap float64) bool {
	for i := range kept {
		if overlap(&kept[i], b) > maxOverlap {
			return true
		}
	}
	return false
}

// average makes each of faces the mean of those among found, surest first, that agree
// with it, each weighted by its score and its overlap: every cell on a face guesses its
// edges anew, and the mean errs less than the surest. Its support is the sum of their
// scores. Neighbours may come to overlap more: to suppress one of them then costs more
// faces than it saves false ones.
func average(faces, found []box, agreement float64) {
	found = found[:min(len(found), maxCandidates)]
	for i := range faces {
		surest, mean, weights := faces[i], &faces[i], 0.0
		mean.left, mean.top, mean.right, mean.bottom, mean.support = 0, 0, 0, 0, 0
		for k := range found {
			f := &found[k]
			shared := overlap(&surest, f)
			if shared < agreement {
				continue
			}
			weight := f.score * shared
			mean.left, mean.top = mean.left+weight*f.left, mean.top+weight*f.top
			mean.right, mean.bottom = mean.right+weight*f.right, mean.bottom+weight*f.bottom
			weights, mean.support = weights+weight, mean.support+f.score
		}
		mean.left, mean.top, mean.right, mean.bottom = mean.left/weights, mean.top/weights, mean.right/weights, mean.bottom/weights
	}
}

// overlap is the share of the union that two boxes have in common, 0 to 1.
func overlap(a, b *box) float64 {
	shared := common(a, b)
	if shared == 0 {
		return 0
	}
	return shared / (a.area() + b.area() - shared)
}

// common is the area that two boxes share.
func common(a, b *box) float64 {
	if a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top {
		return 0 // as nearly all are
	}
	return (min(a.right, b.right) - max(a.left, b.left)) * (min(a.bottom, b.bottom) - max(a.top, b.top))
}
