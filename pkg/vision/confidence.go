package vision

import (
	"cmp"
	"errors"
	"fmt"
	"image"
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
	Constant      float64 `json:"constant"`
	Score         float64 `json:"score"`           // × logit of the score
	Size          float64 `json:"size"`            // × log(side / (sizeUnit × the photo's longer side)), side² being the box's area
	SizeSquared   float64 `json:"size_squared"`    // × the square of that
	Support       float64 `json:"support"`         // × log of the box's support
	SupportBySize float64 `json:"support_by_size"` // × that × the size
	Company       float64 `json:"company"`         // × log(noCompany + the other boxes' score⁴ × the smaller side / the larger one)
}

const (
	sizeUnit = 0.08 // of the photo's longer side: a face of the middle size
	leastSize,
	mostSize = 0.008, 0.8 // beyond which there was nothing to learn from
	leastScore      = 1e-4 // and 1 less that: the logit stays finite
	noCompany       = 0.02
	mostCoefficient = 100
)

// of gives the confidence of each of a picture's boxes, 0 to 1; longer is the picture's
// longer side, in the boxes' pixels.
func (c confidence) of(boxes []box, longer float64) []float64 {
	sizes := make([]float64, len(boxes))
	for i, b := range boxes {
		sizes[i] = math.Log(min(max(math.Sqrt(b.area())/longer, leastSize), mostSize) / sizeUnit)
	}
	confidences := make([]float64, len(boxes))
	for i, b := range boxes {
		score := min(max(b.score, leastScore), 1-leastScore)
		support := math.Log(max(b.support, leastScore))
		x := c.Constant + c.Score*math.Log(score/(1-score)) +
			c.Size*sizes[i] + c.SizeSquared*sizes[i]*sizes[i] +
			c.Support*support + c.SupportBySize*support*sizes[i] +
			c.Company*company(boxes, sizes, i)
		confidences[i] = 1 / (1 + math.Exp(-x))
	}
	return confidences
}

// company says how much like other faces of the picture the ith is.
func company(boxes []box, sizes []float64, i int) float64 {
	others := noCompany
	for k, b := range boxes {
		if k != i {
			others += math.Pow(b.score, 4) * math.Exp(-math.Abs(sizes[k]-sizes[i]))
		}
	}
	return math.Log(others)
}

// judge makes one box for each face of what a network saw, says how sure it is, and
// drops what does not count. filled is where the picture lies in the network's input.
func (m *model) judge(found []box, filled image.Rectangle) []box {
	faces := average(suppressOverlaps(found, m.overlap), found, m.agreement)
	if m.confidence != nil {
		for i, confidence := range m.confidence.of(faces, float64(longest(filled.Size()))) {
			faces[i].score = confidence
		}
	}
	faces = slices.DeleteFunc(faces, func(b box) bool { return b.score < m.thresholds[b.label] })
	slices.SortStableFunc(faces, func(a, b box) int { return cmp.Compare(b.score, a.score) })
	return faces
}

// checkConfidence holds what a manifest says of candidates against each other.
func (m manifest) checkConfidence() error {
	var errs []error
	if !(m.Candidates >= 0 && m.Candidates < 1) {
		errs = append(errs, fmt.Errorf("candidates is %v, not 0 to below 1", m.Candidates))
	}
	if m.Agreement != 0 && !(m.Agreement >= m.Overlap && m.Agreement < 1) {
		errs = append(errs, fmt.Errorf("agreement is %v, not at least the overlap, %v, and below 1", m.Agreement, m.Overlap))
	}
	if m.Confidence == nil {
		return errors.Join(errs...)
	}
	if m.Candidates == 0 {
		errs = append(errs, errors.New("confidence needs candidates: thresholds are no scores then"))
	}
	for _, point := range visionconfig.WorkingPoints() {
		if _, given := m.Confidence[point]; !given {
			errs = append(errs, fmt.Errorf("confidence has no %s", point))
		}
	}
	for point, c := range m.Confidence {
		if !slices.Contains(visionconfig.WorkingPoints(), point) {
			errs = append(errs, fmt.Errorf("confidence has the unknown working point %q", point))
		}
		for _, v := range []float64{c.Constant, c.Score, c.Size, c.SizeSquared, c.Support, c.SupportBySize, c.Company} {
			if math.Abs(v) > mostCoefficient {
				errs = append(errs, fmt.Errorf("confidence of %s has a coefficient of %v, beyond ±%d", point, v, mostCoefficient))
			}
		}
	}
	return errors.Join(errs...)
}
