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

// suppressOverlaps sorts found, surest first, and keeps the surest box of every face:
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

// average gives each kept box the mean of those among found that agree with it, it
// included, each weighted by its score and its overlap: every cell on a face guesses
// its edges anew, and the mean errs less than the surest. Its support is the sum of
// their scores. An agreement of 0 leaves the boxes as they are.
func average(kept, found []box, agreement float64) []box {
	found = found[:min(len(found), maxCandidates)]
	averaged := slices.Clone(kept)
	for i := range kept {
		surest, b := &kept[i], &averaged[i]
		b.support = surest.score
		if agreement == 0 {
			continue
		}
		var left, top, right, bottom, weights, support float64
		for k := range found {
			f := &found[k]
			shared := overlap(surest, f)
			if shared < agreement {
				continue
			}
			weight := f.score * shared
			left, top = left+weight*f.left, top+weight*f.top
			right, bottom = right+weight*f.right, bottom+weight*f.bottom
			weights, support = weights+weight, support+f.score
		}
		b.left, b.top, b.right, b.bottom = left/weights, top/weights, right/weights, bottom/weights
		b.support = support
	}
	return averaged
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
