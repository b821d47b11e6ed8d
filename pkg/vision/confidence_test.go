package vision

import (
	"image"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
)

func TestConfidenceByHand(t *testing.T) {
	t.Parallel()
	const side = 640
	middle := box{score: 0.5, support: 1, right: sizeUnit * side, bottom: sizeUnit * side} // logit, size and support are 0
	sure, large, tall, supported := middle, middle, middle, middle
	sure.score = 0.9
	large.right, large.bottom = 2*middle.right, 2*middle.bottom
	tall.bottom = 4 * middle.bottom // as large as large
	supported.support = math.E
	both := large
	both.support = math.E
	for name, c := range map[string]struct {
		coefficients confidence
		box          box
		logit        float64
	}{
		"nothing known":      {confidence{}, sure, 0},
		"constant":           {confidence{Constant: -2}, middle, -2},
		"all of the middle":  {confidence{Constant: -2, Score: 9, Size: 9, SizeSquared: 9, Support: 9, SupportBySize: 9}, middle, -2},
		"alone":              {confidence{Company: 0.5}, middle, 0.5 * math.Log(noCompany)},
		"score":              {confidence{Score: 3}, sure, 3 * math.Log(9)},
		"size":               {confidence{Size: -0.5}, large, -0.5 * math.Ln2},
		"size of a tall one": {confidence{Size: -0.5}, tall, -0.5 * math.Ln2},
		"size squared":       {confidence{SizeSquared: -1}, large, -math.Ln2 * math.Ln2},
		"support":            {confidence{Support: 0.7}, supported, 0.7},
		"support by size":    {confidence{SupportBySize: 0.7}, both, 0.7 * math.Ln2},
		"certain":            {confidence{Score: 1}, box{score: 1, support: 1, right: 1, bottom: 1}, math.Log(9999)},
		"without area":       {confidence{Size: 1}, box{score: 0.5, support: 1}, math.Log(leastSize / sizeUnit)},
	} {
		want := 1 / (1 + math.Exp(-c.logit))
		if diff := cmp.Diff([]float64{want}, c.coefficients.of([]box{c.box}, side), cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestCompanyIsOfOneSize(t *testing.T) {
	t.Parallel()
	face := func(score, side float64) box { return box{score: score, support: score, right: side, bottom: side} }
	got := confidence{Company: 2}.of([]box{face(0.9, 50), face(0.5, 100), face(0.2, 25)}, 640)
	var want []float64
	for _, others := range []float64{
		math.Pow(0.5, 4)/2 + math.Pow(0.2, 4)/2,
		math.Pow(0.9, 4)/2 + math.Pow(0.2, 4)/4,
		math.Pow(0.9, 4)/2 + math.Pow(0.5, 4)/4,
	} {
		want = append(want, 1/(1+math.Exp(-2*math.Log(noCompany+others))))
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
		t.Errorf("confidences (-want +got):\n%s", diff)
	}
}

// The threshold is held against the confidence, and the surest face comes first by it.
func TestJudgeCountsByConfidence(t *testing.T) {
	t.Parallel()
	m := &model{
		overlap: 0.5, agreement: 0.6, confidence: &confidence{Score: 1, Size: -2},
		thresholds: map[job.Label]float64{job.LabelMasked: 0.5, job.LabelUnmasked: 0.5},
	}
	small := box{label: job.LabelMasked, score: 0.6, right: 10, bottom: 10}
	huge := box{label: job.LabelUnmasked, score: 0.7, left: 200, right: 500, bottom: 300}
	middling := box{label: job.LabelUnmasked, score: 0.8, left: 100, right: 140, bottom: 40}
	var got []job.Label
	for _, b := range m.judge([]box{huge, small, middling}, image.Rect(0, 0, 640, 480)) {
		got = append(got, b.label)
	}
	if diff := cmp.Diff([]job.Label{job.LabelMasked, job.LabelUnmasked}, got); diff != "" {
		t.Errorf("counted (-want +got):\n%s", diff)
	}
}

func TestModelWithConfidence(t *testing.T) {
	t.Parallel()
	got, err := newDetectorOf(t, ofFolder(inFolder(t, confident()))).Detect(painted(t, image.Rect(128, 64, 192, 128), red()))
	if err != nil {
		t.Fatal(err)
	}
	want := []Face{{Label: job.LabelUnmasked, Confidence: 1 / (1 + math.Exp(1-math.Log(9999))), Left: 128, Top: 64, Right: 192, Bottom: 128}}
	if diff := cmp.Diff(want, got.Faces, cmpopts.EquateApprox(0, 1e-4)); diff != "" {
		t.Errorf("faces (-want +got):\n%s", diff)
	}
}
