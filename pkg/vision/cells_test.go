package vision

import (
	"image"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
)

func threeClasses() []class {
	return []class{{job.LabelMasked, 0.5}, {job.LabelUnmasked, 0.5}, {job.LabelIncorrect, 0.7}}
}

func threeStrides() cells {
	return newCells(manifestDecode{Strides: []int{8, 16, 32}, MostLogDistance: 4}, threeClasses())
}

// seeing is an output for an input of size in which every cell is sure to see
// nothing but the given one.
func seeing(size image.Point, output, cell int, row [7]float32) []tensor {
	var outputs []tensor
	for i, stride := range []int{8, 16, 32} {
		width, height := size.X/stride, size.Y/stride
		out := tensor{shape: []int{1, 7, height, width}, values: make([]float32, 7*width*height)}
		for at := range 3 * width * height {
			out.values[at] = -10
		}
		if i == output {
			for k, v := range row {
				out.values[k*width*height+cell] = v
			}
		}
		outputs = append(outputs, out)
	}
	return outputs
}

func TestCellsTellClassesApart(t *testing.T) {
	t.Parallel()
	size := image.Pt(96, 64)
	for name, c := range map[string]struct {
		row  [7]float32
		want []job.Label
	}{
		"masked":                       {[7]float32{2, 1, -3}, []job.Label{job.LabelMasked}},
		"unmasked":                     {[7]float32{1, 2, -3}, []job.Label{job.LabelUnmasked}},
		"incorrect":                    {[7]float32{1, -2, 3}, []job.Label{job.LabelIncorrect}},
		"incorrect, below its own":     {[7]float32{0.1, -2, 0.8}, []job.Label{job.LabelMasked}},
		"none sure":                    {[7]float32{-0.1, -0.1, 0.8}, nil},
		"just as sure as it has to be": {[7]float32{0, -1, -1}, []job.Label{job.LabelMasked}},
	} {
		found, err := threeStrides().decode(seeing(size, 0, 5, c.row), size)
		if err != nil {
			t.Fatal(err)
		}
		var got []job.Label
		for _, b := range found {
			got = append(got, b.label)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCellsFindTheirPlace(t *testing.T) {
	t.Parallel()
	size := image.Pt(96, 64) // maps of 12 × 8, 6 × 4 and 3 × 2 cells
	sure := func(log float32) [7]float32 { return [7]float32{2, -9, -9, 0, log, log, log} }
	far := math.Exp(4)
	for name, c := range map[string]struct {
		output, cell int
		row          [7]float32
		want         box
	}{
		"finest, first": {0, 0, sure(0), box{left: -4, top: -4, right: 12, bottom: 12}},
		"finest, row 1": {0, 12 + 2, sure(0), box{left: 12, top: 4, right: 28, bottom: 20}},
		"middle, twice": {1, 6*3 + 5, sure(float32(math.Ln2)), box{left: 72, top: 24, right: 120, bottom: 88}},
		"coarsest, last": {
			2, 5,
			[7]float32{2, -9, -9, 0, 0, 99, -99},
			box{left: 48, top: 16, right: 80 + 32*far, bottom: 48 + 32/far},
		},
	} {
		found, err := threeStrides().decode(seeing(size, c.output, c.cell, c.row), size)
		if err != nil {
			t.Fatal(err)
		}
		c.want.label, c.want.score = job.LabelMasked, 1/(1+math.Exp(-2))
		if diff := cmp.Diff([]box{c.want}, found, cmp.AllowUnexported(box{}), cmpopts.EquateApprox(0, 1e-5)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCellsRefuseOtherShapes(t *testing.T) {
	t.Parallel()
	if _, err := threeStrides().decode(seeing(image.Pt(96, 64), 0, 0, [7]float32{}), image.Pt(64, 96)); err == nil {
		t.Error("no error")
	}
}
