package vision

import (
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
)

// cellsWith is an output of the network in which only the given cells see a face.
func cellsWith(rows map[int][cellValues]float32) []float32 {
	cells := make([]float32, cellCount()*cellValues)
	for cell, row := range rows {
		copy(cells[cell*cellValues:], row[:])
	}
	return cells
}

func TestDecodeBoxesTellsClassesApart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  [cellValues]float32
		want job.Label
	}{
		"masked":    {[cellValues]float32{0.9, 0.2, 0.1, 4, 4, 4, 4}, job.LabelMasked},
		"unmasked":  {[cellValues]float32{0.2, 0.9, 0.1, 4, 4, 4, 4}, job.LabelUnmasked},
		"incorrect": {[cellValues]float32{0.1, 0.2, 0.9, 4, 4, 4, 4}, job.LabelIncorrect},
	} {
		faces := toFaces(decodeBoxes(cellsWith(map[int][cellValues]float32{1000: c.row})), image.Pt(416, 416), 1)
		if len(faces) != 1 || faces[0].Label != c.want || faces[0].Confidence != 0.9 {
			t.Errorf("%s: faces are %+v", name, faces)
		}
	}
	if found := decodeBoxes(cellsWith(map[int][cellValues]float32{7: {0.3, 0.3, 0.3, 4, 4, 4, 4}})); len(found) != 0 {
		t.Errorf("an unsure cell gave %+v", found)
	}
}

func TestDecodeBoxesFindsTheCellsPlace(t *testing.T) {
	t.Parallel()
	const (
		fine   = (416 / 8) * (416 / 8)
		middle = (416 / 16) * (416 / 16)
	)
	for name, c := range map[string]struct {
		cell int
		want box
	}{
		"finest, first":         {0, box{left: 3, top: 2, right: 7, bottom: 8}},                           // centre (4, 4)
		"finest, row 1":         {52 + 2, box{left: 19, top: 10, right: 23, bottom: 16}},                  // (20, 12)
		"middle, row 2":         {fine + 2*26 + 1, box{left: 23, top: 38, right: 27, bottom: 44}},         // (24, 40)
		"coarsest, last of all": {fine + middle + 168, box{left: 399, top: 398, right: 403, bottom: 404}}, // (400, 400)
	} {
		found := decodeBoxes(cellsWith(map[int][cellValues]float32{c.cell: {0.8, 0, 0, 1, 2, 3, 4}}))
		c.want.score = 0.8
		if diff := cmp.Diff([]box{c.want}, found, cmp.AllowUnexported(box{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestToFacesKeepsInsideThePhoto(t *testing.T) {
	t.Parallel()
	found := []box{
		{class: classMasked, score: 0.9, left: -5, top: -5, right: 20, bottom: 30},
		{class: classMasked, score: 0.8, left: 90, top: 40, right: 120, bottom: 60},
		{class: classMasked, score: 0.7, left: 150, top: 10, right: 160, bottom: 20}, // in the black part
		{class: classMasked, score: 0.6, left: 10, top: 10, right: 10.1, bottom: 20}, // no pixel wide
	}
	want := []job.Face{
		{Label: job.LabelMasked, Confidence: 0.9, Box: job.Box{XMin: 0, YMin: 0, XMax: 40, YMax: 60}},
		{Label: job.LabelMasked, Confidence: 0.8, Box: job.Box{XMin: 180, YMin: 80, XMax: 200, YMax: 100}},
	}
	if diff := cmp.Diff(want, toFaces(found, image.Pt(200, 100), 0.5)); diff != "" {
		t.Errorf("faces (-want +got):\n%s", diff)
	}
}

func TestSuppressOverlapsKeepsTheSurest(t *testing.T) {
	t.Parallel()
	one := box{class: classMasked, score: 0.6, left: 10, top: 10, right: 30, bottom: 30}
	sureOne := box{class: classUnmasked, score: 0.9, left: 11, top: 10, right: 31, bottom: 30} // the same face, another class
	neighbour := box{class: classMasked, score: 0.7, left: 26, top: 10, right: 46, bottom: 30}
	twin := box{class: classIncorrect, score: 0.6, left: 10, top: 10, right: 30, bottom: 30} // as sure as one, later
	got := suppressOverlaps([]box{one, neighbour, sureOne})
	if diff := cmp.Diff([]box{sureOne, neighbour}, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if got := suppressOverlaps([]box{one, twin}); len(got) != 1 || got[0].class != classMasked {
		t.Errorf("of two equals %+v was kept, want the first", got)
	}
	var crowd []box
	for i := range 2 * maxFaces {
		crowd = append(crowd, box{score: 0.5, left: float32(10 * i), right: float32(10*i + 5), bottom: 5})
	}
	if got := suppressOverlaps(crowd); len(got) != maxFaces {
		t.Errorf("%d faces were kept, want %d", len(got), maxFaces)
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	a := box{left: 0, top: 0, right: 10, bottom: 10}
	for name, c := range map[string]struct {
		b    box
		want float32
	}{
		"itself":   {a, 1},
		"half":     {box{left: 5, top: 0, right: 15, bottom: 10}, 1.0 / 3},
		"touching": {box{left: 10, top: 0, right: 20, bottom: 10}, 0},
		"inside":   {box{left: 0, top: 0, right: 5, bottom: 5}, 0.25},
	} {
		if diff := cmp.Diff(c.want, overlap(a, c.b), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
