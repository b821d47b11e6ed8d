package vision

import (
	"fmt"
	"image"
	"math"
	"slices"
)

// anchors decodes a network of the SSD kind: two outputs, a row for every anchor. The
// first holds the box's offset from its anchor, the second the classes' probabilities.
type anchors struct {
	boxes     []anchor
	variances [4]float64
	classes   []class
}

// anchor is a box to start from, its sides as shares of the input's.
type anchor struct{ x, y, width, height float64 }

// newAnchors lays the anchors: for each map and each of its cells, row by row, one for
// every size at the first ratio, then the first size at every further ratio.
func newAnchors(d manifestDecode, classes []class) anchors {
	a := anchors{variances: [4]float64(d.Variances), classes: classes}
	for i, side := range d.Maps {
		var shapes []anchor
		for _, size := range d.Sizes[i] {
			shapes = append(shapes, anchorOf(size, d.Ratios[0]))
		}
		for _, ratio := range d.Ratios[1:] {
			shapes = append(shapes, anchorOf(d.Sizes[i][0], ratio))
		}
		for cell := range side * side {
			for _, shape := range shapes {
				shape.x = (float64(cell%side) + 0.5) / float64(side)
				shape.y = (float64(cell/side) + 0.5) / float64(side)
				a.boxes = append(a.boxes, shape)
			}
		}
	}
	return a
}

func anchorOf(size, ratio float64) anchor {
	return anchor{width: size * math.Sqrt(ratio), height: size / math.Sqrt(ratio)}
}

func (a anchors) decode(outputs []tensor, size image.Point) ([]box, error) {
	offsets, scores := outputs[0], outputs[1]
	for _, check := range []struct {
		what string
		got  tensor
		row  int
	}{{"boxes", offsets, 4}, {"scores", scores, len(a.classes)}} {
		if want := []int{1, len(a.boxes), check.row}; !slices.Equal(check.got.shape, want) {
			return nil, fmt.Errorf("the output of %s has the shape %v where %v belongs to these anchors", check.what, check.got.shape, want)
		}
	}
	var found []box
	for i, anchor := range a.boxes {
		row := scores.values[i*len(a.classes) : (i+1)*len(a.classes)]
		class := -1
		for k, v := range row {
			if v >= a.classes[k].leastScore && (class < 0 || v > row[class]) {
				class = k
			}
		}
		if class >= 0 {
			found = append(found, a.box(anchor, offsets.values[4*i:4*i+4], a.classes[class], row[class], size))
		}
	}
	return found, nil
}

func (a anchors) box(from anchor, offset []float32, c class, score float32, size image.Point) box {
	x := from.x + float64(offset[0])*a.variances[0]*from.width
	y := from.y + float64(offset[1])*a.variances[1]*from.height
	width := from.width * math.Exp(float64(offset[2])*a.variances[2])
	height := from.height * math.Exp(float64(offset[3])*a.variances[3])
	return box{
		label: c.label, score: min(float64(score), 1),
		left: (x - width/2) * float64(size.X), right: (x + width/2) * float64(size.X),
		top: (y - height/2) * float64(size.Y), bottom: (y + height/2) * float64(size.Y),
	}
}
