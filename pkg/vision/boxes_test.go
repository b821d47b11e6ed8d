package vision

import (
	"image"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
)

func TestToPhotoAndFaces(t *testing.T) {
	t.Parallel()
	found := []box{
		{label: job.LabelMasked, confidence: 0.9, left: -5, top: -5, right: 20, bottom: 30},
		{label: job.LabelMasked, confidence: 0.8, left: 90, top: 40, right: 120, bottom: 60},
		{label: job.LabelMasked, confidence: 0.7, left: 150, top: 10, right: 160, bottom: 20}, // in the black part
		{label: job.LabelMasked, confidence: 0.61239, left: 10.1, top: 10, right: 10.2, bottom: 20},
	}
	size := image.Pt(200, 100)
	faces := toFaces(toPhoto(found, image.Rect(0, 0, 100, 50), photo{size: size}.whole()), size)
	want := []Face{
		{Label: job.LabelMasked, Confidence: 0.9, Left: 0, Top: 0, Right: 40, Bottom: 60},
		{Label: job.LabelMasked, Confidence: 0.8, Left: 180, Top: 80, Right: 200, Bottom: 100},
		{Label: job.LabelMasked, Confidence: 0.61239, Left: 20.2, Top: 20, Right: 20.4, Bottom: 40},
	}
	if diff := cmp.Diff(want, faces, cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("faces (-want +got):\n%s", diff)
	}
	recorded := []job.Face{ // the one without a pixel is not
		{Label: job.LabelMasked, Confidence: 0.9, Box: job.Box{XMin: 0, YMin: 0, XMax: 40, YMax: 60}},
		{Label: job.LabelMasked, Confidence: 0.8, Box: job.Box{XMin: 180, YMin: 80, XMax: 200, YMax: 100}},
	}
	if diff := cmp.Diff(recorded, wholePixels(faces)); diff != "" {
		t.Errorf("recorded faces (-want +got):\n%s", diff)
	}
}

func TestToPhotoOfAPart(t *testing.T) {
	t.Parallel()
	part := area{left: 100, top: 50, right: 300, bottom: 150}
	got := toPhoto([]box{{left: 10, top: 10, right: 20, bottom: 30}}, image.Rect(0, 0, 100, 100), part)
	want := []box{{left: 120, top: 60, right: 140, bottom: 80}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

func TestSuppressOverlapsKeepsTheSurest(t *testing.T) {
	t.Parallel()
	one := box{label: job.LabelMasked, score: 0.6, left: 10, top: 10, right: 30, bottom: 30}
	sureOne := box{label: job.LabelUnmasked, score: 0.9, left: 11, top: 10, right: 31, bottom: 30} // the same face, another class
	neighbour := box{label: job.LabelMasked, score: 0.7, left: 26, top: 10, right: 46, bottom: 30}
	twin := box{label: job.LabelIncorrect, score: 0.6, left: 10, top: 10, right: 30, bottom: 30} // as sure as one, later
	got := suppressOverlaps([]box{one, neighbour, sureOne}, 0.5)
	if diff := cmp.Diff([]box{sureOne, neighbour}, got, cmp.AllowUnexported(box{})); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	if got := suppressOverlaps([]box{one, twin}, 0.5); len(got) != 1 || got[0].label != job.LabelMasked {
		t.Errorf("of two equals %+v was kept, want the first", got)
	}
	var crowd []box
	for i := range 2 * maxFaces {
		crowd = append(crowd, box{score: 0.5, left: float64(10 * i), right: float64(10*i + 5), bottom: 5})
	}
	if got := suppressOverlaps(crowd, 0.5); len(got) != maxFaces {
		t.Errorf("%d faces were kept, want %d", len(got), maxFaces)
	}
}

func TestAverageOfWhatAgrees(t *testing.T) {
	t.Parallel()
	surest := box{label: job.LabelMasked, score: 0.6, right: 10, bottom: 10}
	agrees := box{label: job.LabelUnmasked, score: 0.3, right: 10, bottom: 12} // shares 10/12
	lower := box{label: job.LabelMasked, score: 0.5, top: 5, right: 10, bottom: 15}
	alone := box{label: job.LabelIncorrect, score: 0.2, left: 50, right: 60, bottom: 10}
	found := []box{surest, lower, agrees, alone}
	faces := []box{surest, lower, alone}

	weight := 0.3 * 10 / 12
	mean := surest
	mean.bottom, mean.support = (0.6*10+weight*12)/(0.6+weight), 0.9
	lower.support, alone.support = lower.score, alone.score
	average(faces, found, 0.6)
	if diff := cmp.Diff([]box{mean, lower, alone}, faces, cmp.AllowUnexported(box{}), cmpopts.EquateApprox(0, 1e-9)); diff != "" {
		t.Errorf("boxes (-want +got):\n%s", diff)
	}
}

func TestOverlap(t *testing.T) {
	t.Parallel()
	a := box{left: 0, top: 0, right: 10, bottom: 10}
	for name, c := range map[string]struct {
		b    box
		want float64
	}{
		"itself":   {a, 1},
		"half":     {box{left: 5, top: 0, right: 15, bottom: 10}, 1.0 / 3},
		"touching": {box{left: 10, top: 0, right: 20, bottom: 10}, 0},
		"inside":   {box{left: 0, top: 0, right: 5, bottom: 5}, 0.25},
	} {
		if diff := cmp.Diff(c.want, overlap(&a, &c.b), cmpopts.EquateApprox(0, 1e-6)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
