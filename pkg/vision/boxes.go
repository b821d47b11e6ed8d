package vision

import (
	"image"
	"math"

	"maskfleet/pkg/job"
)

// The network's output has a row for every cell: the cells of the finest stride
// first, row by row. A row holds the probabilities of the three classes, then the
// distances from the cell's centre to the left, upper, right and lower edge, in
// pixels of the input.
const (
	cellValues     = 7
	classMasked    = 0
	classUnmasked  = 1
	classIncorrect = 2
	classes        = 3
)

func strides() [3]int { return [3]int{8, 16, 32} }

func cellCount() int {
	n := 0
	for _, stride := range strides() {
		n += (networkSide / stride) * (networkSide / stride)
	}
	return n
}

// minScore is the probability from which a cell counts as a face. On our 269
// photos for validation 0.40 finds 75 % of the faces (84 % of those wider than 20
// pixels) with 79 % of the boxes right, 0.45 finds 70 % with 87 % right; the
// balance of the two is best, and flat, between them.
const minScore = 0.42

// box is a candidate, in pixels of the network's input.
type box struct {
	class                    int
	score                    float32
	left, top, right, bottom float32
}

// decodeBoxes reads the candidates above minScore out of the network's output.
func decodeBoxes(cells []float32) []box {
	var found []box
	at := 0
	for _, stride := range strides() {
		side := networkSide / stride
		for cell := range side * side {
			row := cells[at : at+cellValues]
			at += cellValues
			class := likeliest(row)
			if row[class] < minScore {
				continue
			}
			x := (float32(cell%side) + 0.5) * float32(stride)
			y := (float32(cell/side) + 0.5) * float32(stride)
			found = append(found, box{
				class: class, score: row[class],
				left: x - row[3], top: y - row[4], right: x + row[5], bottom: y + row[6],
			})
		}
	}
	return found
}

func likeliest(row []float32) int {
	best := classMasked
	for class := classUnmasked; class < classes; class++ {
		if row[class] > row[best] {
			best = class
		}
	}
	return best
}

func labelOf(class int) job.Label {
	switch class {
	case classMasked:
		return job.LabelMasked
	case classIncorrect:
		return job.LabelIncorrect
	default:
		return job.LabelUnmasked
	}
}

// toFaces gives the boxes in pixels of the photo, inside it; scale is input pixels
// per photo pixel. What lies wholly outside is dropped.
func toFaces(found []box, size image.Point, scale float64) []job.Face {
	faces := make([]job.Face, 0, len(found))
	for _, b := range found {
		inPhoto := job.Box{
			XMin: photoPixel(b.left, scale, size.X), YMin: photoPixel(b.top, scale, size.Y),
			XMax: photoPixel(b.right, scale, size.X), YMax: photoPixel(b.bottom, scale, size.Y),
		}
		if inPhoto.XMin >= inPhoto.XMax || inPhoto.YMin >= inPhoto.YMax {
			continue
		}
		faces = append(faces, job.Face{Label: labelOf(b.class), Confidence: confidence(b.score), Box: inPhoto})
	}
	return faces
}

func photoPixel(inInput float32, scale float64, side int) int {
	return min(max(0, int(math.Round(float64(inInput)/scale))), side)
}

// confidence rounds to four places; more would say nothing and cost bytes.
func confidence(score float32) float64 { return math.Round(float64(score)*1e4) / 1e4 }
