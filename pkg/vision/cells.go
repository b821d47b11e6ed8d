package vision

import (
	"fmt"
	"image"
	"math"
	"slices"
)

// cells decodes a network without anchors: one map for each stride, of the classes'
// logits and then the logarithms of the distances from the cell's centre to the left,
// upper, right and lower edge, in strides.
type cells struct {
	strides []int
	clamp   float64
	classes []class
	logits  []float32 // of the classes' least scores
}

func newCells(d manifestDecode, classes []class) cells {
	c := cells{strides: d.Strides, clamp: d.MostLogDistance, classes: classes}
	for _, class := range classes {
		c.logits = append(c.logits, logit(class.leastScore))
	}
	return c
}

func (c cells) decode(outputs []tensor, size image.Point) ([]box, error) {
	var found []box
	for i, stride := range c.strides {
		want := []int{1, len(c.classes) + 4, size.Y / stride, size.X / stride}
		if !slices.Equal(outputs[i].shape, want) {
			return nil, fmt.Errorf("the output of stride %d has the shape %v where %v belongs to an input of %d × %d",
				stride, outputs[i].shape, want, size.X, size.Y)
		}
		found = c.decodeMap(found, outputs[i].values, stride, want[3], want[2])
	}
	return found, nil
}

// decodeMap compares logits, which costs nothing: only the few cells that see a face
// are computed further.
func (c cells) decodeMap(found []box, values []float32, stride, width, height int) []box {
	area := width * height
	for cell := range area {
		class, best := -1, float32(0)
		for k, least := range c.logits {
			if v := values[k*area+cell]; v >= least && (class < 0 || v > best) {
				class, best = k, v
			}
		}
		if class < 0 {
			continue
		}
		x := (float64(cell%width) + 0.5) * float64(stride)
		y := (float64(cell/width) + 0.5) * float64(stride)
		distance := func(edge int) float64 {
			v := float64(values[(len(c.classes)+edge)*area+cell])
			return math.Exp(min(max(v, -c.clamp), c.clamp)) * float64(stride)
		}
		found = append(found, box{
			label: c.classes[class].label, score: sigmoid(best),
			left: x - distance(0), top: y - distance(1), right: x + distance(2), bottom: y + distance(3),
		})
	}
	return found
}

func sigmoid(logit float32) float64 { return 1 / (1 + math.Exp(-float64(logit))) }

// logit is a probability's logit; infinite for one that is never reached.
func logit(probability float32) float32 {
	if probability >= 1 {
		return float32(math.Inf(1))
	}
	return float32(math.Log(float64(probability) / (1 - float64(probability))))
}
