package vision

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"maskfleet/pkg/visionconfig"
)

// confidence tells how likely a box is a face of its class, from more than the
// network's own score: how large the box is, how much else the network saw there, and
// whether the photo shows other faces of such a size. It is a logistic regression;
// these are its coefficients (docs/models.md), fitted by
// inference-worker/training/confidence.py on photos that the network did not learn from.
type confidence struct {
	Constant      float64 `json:"constant"`        // the sum begins with it
	Score         float64 `json:"score"`           // × logit of the score
	Size          float64 `json:"size"`            // × log(side / (sizeUnit × the photo's longer side)), side² being the box's area
	SizeSquared   float64 `json:"size_squared"`    // × the square of that
	Support       float64 `json:"support"`         // × log of the box's support
	SupportBySize float64 `json:"support_by_size"` // × that × the size
	Company       float64 `json:"company"`         // × log(noCompany + the other boxes' score⁴ × the smaller side / the larger one)
}

const (
	sizeUnit        = 0.08  // of the photo's longer side: a face of the middle size
	leastSize       = 0.008 // of it, too: below it there was nothing to learn from
	mostSize        = 0.8   // nor above it
	leastPart       = 1e-4  // of a score, and 1 less that: the logit stays finite
	noCompany       = 0.02
	leastCandidates = 0.001
	mostCoefficient = 100
)

// judge sets the confidence of each of a picture's boxes, 0 to 1; longer is the
// picture's longer side, in the boxes' pixels.
func (c confidence) judge(boxes []box, longer float64) {
	sizes := make([]float64, len(boxes))
	for i := range boxes {
		sizes[i] = math.Log(min(max(math.Sqrt(boxes[i].area())/longer, leastSize), mostSize) / sizeUnit)
	}
	others := company(boxes, sizes)
	for i := range boxes {
		score := min(max(boxes[i].score, leastPart), 1-leastPart)
		support := math.Log(max(boxes[i].support, leastPart))
		x := c.Constant + c.Score*math.Log(score/(1-score)) +
			c.Size*sizes[i] + c.SizeSquared*sizes[i]*sizes[i] +
			c.Support*support + c.SupportBySize*support*sizes[i] +
			c.Company*others[i]
		boxes[i].confidence = 1 / (1 + math.Exp(-x))
	}
}

// company gives for each box the logarithm of what the others say for it: the fourth
// powers of their scores, each times how alike the two are in size.
func company(boxes []box, sizes []float64) []float64 {
	words := make([]float64, len(boxes))
	for i := range boxes {
		words[i] = math.Pow(boxes[i].score, 4)
	}
	all := make([]float64, len(boxes))
	for i := range boxes {
		sum := noCompany
		for k, word := range words {
			if k != i {
				sum += word * math.Exp(-math.Abs(sizes[k]-sizes[i]))
			}
		}
		all[i] = math.Log(sum)
	}
	return all
}

// judge makes one box for each face of what a network saw in a picture with a longer
// side of so many pixels, says how sure it is of each, and drops what does not count.
func (m *model) judge(found []box, longer float64) []box {
	found = slices.DeleteFunc(found, func(b box) bool { return !b.sound() })
	faces := suppressOverlaps(found, m.overlap)
	if m.agreement > 0 {
		average(faces, found, m.agreement)
	}
	if m.confidence != nil {
		m.confidence.judge(faces, longer)
	} else {
		for i := range faces {
			faces[i].confidence = faces[i].score
		}
	}
	return slices.DeleteFunc(faces, func(b box) bool { return b.confidence < m.thresholds[b.label] })
}

// checkConfidence holds what a manifest says of candidates against each other.
func (m manifest) checkConfidence() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if m.Candidates != 0 && !(m.Candidates >= leastCandidates && m.Candidates < 1) {
		wrong("candidates is %v, not %v to below 1", m.Candidates, leastCandidates)
	}
	if m.Agreement != 0 && !(m.Agreement >= m.Overlap && m.Agreement < 1) {
		wrong("agreement is %v, not at least the overlap, %v, and below 1", m.Agreement, m.Overlap)
	}
	if m.Agreement != 0 && m.Candidates == 0 {
		wrong("agreement needs candidates: which they are must not depend on thresholds")
	}
	if m.Confidence == nil {
		return errors.Join(append(errs, m.checkCandidates())...)
	}
	if m.Candidates == 0 || m.Agreement == 0 {
		wrong("confidence needs candidates and agreement")
	}
	for _, point := range visionconfig.WorkingPoints() {
		if !(m.Confidence[point].Score > 0) {
			wrong("confidence of %s has no score above 0", point)
		}
	}
	for point, c := range m.Confidence {
		if !slices.Contains(visionconfig.WorkingPoints(), point) {
			wrong("confidence has the unknown working point %q", point)
		}
		for _, v := range []float64{c.Constant, c.Score, c.Size, c.SizeSquared, c.Support, c.SupportBySize, c.Company} {
			if math.Abs(v) > mostCoefficient {
				wrong("confidence of %s has a coefficient of %v, beyond ±%d", point, v, mostCoefficient)
			}
		}
	}
	return errors.Join(errs...)
}

// checkCandidates refuses thresholds below the candidates, where no confidence is made:
// a face with a score between the two would count, and is never looked at.
func (m manifest) checkCandidates() error {
	for point, thresholds := range m.Thresholds {
		for label, least := range thresholds {
			if least < m.Candidates {
				return fmt.Errorf("thresholds: %s at %s is %v, below the candidates, %v", label, point, least, m.Candidates)
			}
		}
	}
	return nil
}
