package vision

import (
	"encoding/json"
	"image"
	"maps"
	"math"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"maskfleet/pkg/job"
	"maskfleet/pkg/visionconfig"
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
		"tiniest":            {confidence{Size: 1}, box{score: 0.5, support: 1, right: 1e-9, bottom: 1e-9}, math.Log(leastSize / sizeUnit)},
		"larger than all":    {confidence{Size: 1}, box{score: 0.5, support: 1, right: 900, bottom: 900}, math.Log(mostSize / sizeUnit)},
	} {
		boxes := []box{c.box}
		c.coefficients.judge(boxes, side)
		if diff := cmp.Diff(1/(1+math.Exp(-c.logit)), boxes[0].confidence, cmpopts.EquateApprox(0, 1e-12)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// The coefficients are fitted by a program in Python, whose tests read the same file.
func TestConfidenceAsItWasFitted(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("testdata/confidence.json")
	if err != nil {
		t.Fatal(err)
	}
	var given struct {
		LongerSide   float64    `json:"longer_side"`
		Coefficients confidence `json:"coefficients"`
		Boxes        []struct {
			Box        [4]float64 `json:"box"`
			Score      float64    `json:"score"`
			Support    float64    `json:"support"`
			Confidence float64    `json:"confidence"`
		} `json:"boxes"`
	}
	if err := json.Unmarshal(text, &given); err != nil {
		t.Fatal(err)
	}
	var boxes []box
	var want, got []float64
	for _, b := range given.Boxes {
		boxes = append(boxes, box{
			score: b.Score, support: b.Support, left: b.Box[0], top: b.Box[1], right: b.Box[2], bottom: b.Box[3],
		})
		want = append(want, b.Confidence)
	}
	given.Coefficients.judge(boxes, given.LongerSide)
	for _, b := range boxes {
		got = append(got, b.confidence)
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateApprox(0, 1e-6)); diff != "" || len(got) < 4 {
		t.Errorf("confidences of %d boxes (-want +got):\n%s", len(got), diff)
	}
}

// judging is a model whose confidence is the score, but for what a test changes.
func judging(change func(*model)) *model {
	m := &model{
		overlap: 0.5, agreement: 0.6, confidence: &confidence{Score: 1},
		thresholds: map[job.Label]float64{job.LabelMasked: 0.5, job.LabelUnmasked: 0.5},
	}
	change(m)
	return m
}

func square(label job.Label, score, at, side float64) box {
	return box{label: label, score: score, left: at, top: at, right: at + side, bottom: at + side}
}

func TestJudgeCountsByConfidence(t *testing.T) {
	t.Parallel()
	found := []box{
		square(job.LabelUnmasked, 0.7, 200, 300),
		square(job.LabelMasked, 0.45, 0, 10),
		square(job.LabelUnmasked, 0.8, 100, 40),
	}
	for name, c := range map[string]struct {
		model  *model
		longer float64
		want   map[job.Label]int
	}{
		"by score":            {judging(func(m *model) { m.confidence = nil }), 640, map[job.Label]int{job.LabelUnmasked: 2}},
		"small ones are":      {judging(func(m *model) { m.confidence.Size = -2 }), 640, map[job.Label]int{job.LabelMasked: 1, job.LabelUnmasked: 1}},
		"of a larger picture": {judging(func(m *model) { m.confidence.Size = -2 }), 6400, map[job.Label]int{job.LabelMasked: 1, job.LabelUnmasked: 2}},
	} {
		got := map[job.Label]int{}
		for _, b := range c.model.judge(append([]box(nil), found...), c.longer) {
			got[b.label]++
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// Whatever one cell says, the face beside it is found as it is without that.
func TestJudgeBearsOddBoxes(t *testing.T) {
	t.Parallel()
	face := square(job.LabelMasked, 0.9, 100, 40)
	want := judging(func(*model) {}).judge([]box{face}, 640)
	for name, odd := range map[string]box{
		"nowhere":          {label: job.LabelMasked, score: 0.95, left: math.NaN(), right: 140, top: 100, bottom: 140},
		"infinitely large": {label: job.LabelMasked, score: 0.95, left: math.Inf(-1), right: math.Inf(1), top: 100, bottom: 140},
		"without area":     {label: job.LabelMasked, score: 0.95, left: 100, right: 100, top: 100, bottom: 140},
		"too thin":         {label: job.LabelMasked, score: 0.95, right: 1e-200, bottom: 1e-200},
		"inside out":       {label: job.LabelMasked, score: 0.95, left: 140, right: 100, top: 140, bottom: 100},
		"without a score":  {label: job.LabelMasked, left: 100, right: 140, top: 100, bottom: 140},
	} {
		got := judging(func(*model) {}).judge([]box{odd, face}, 640)
		if diff := cmp.Diff(want, got, cmp.AllowUnexported(box{})); diff != "" || len(got) != 1 {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestModelWithConfidence(t *testing.T) {
	t.Parallel()
	photo := painted(t, image.Rect(128, 64, 192, 128), red())
	cfg := ofFolder(inFolder(t, confident()))
	certain := 1 / (1 + math.Exp(1-math.Log(9999)))
	for _, tiles := range []visionconfig.Tiles{visionconfig.TilesOff, visionconfig.TilesAuto} {
		cfg.Tiles = tiles
		got, err := newDetectorOf(t, cfg).Detect(photo)
		if err != nil {
			t.Fatal(err)
		}
		want := []Face{{Label: job.LabelUnmasked, Confidence: certain, Left: 128, Top: 64, Right: 192, Bottom: 128}}
		if diff := cmp.Diff(want, got.Faces, cmpopts.EquateApprox(0, 1e-4)); diff != "" {
			t.Errorf("tiles %s: faces (-want +got):\n%s", tiles, diff)
		}
	}
}

// A measurement below the thresholds still sees the model's own candidates.
func TestLeastConfidenceLeavesCandidates(t *testing.T) {
	t.Parallel()
	manifest := manifest{
		Candidates: 0.1, Classes: []string{"masked", classBackground},
		Thresholds: map[visionconfig.WorkingPoint]map[job.Label]float64{visionconfig.Fast: {job.LabelMasked: 0.3}},
	}
	thresholds := manifest.thresholds(Config{WorkingPoint: visionconfig.Fast, LeastConfidence: 0.25})
	if !maps.Equal(thresholds, map[job.Label]float64{job.LabelMasked: 0.25}) {
		t.Errorf("thresholds are %v", thresholds)
	}
	want := []class{{label: job.LabelMasked, leastScore: 0.1}, {leastScore: 2}}
	if diff := cmp.Diff(want, manifest.classes(thresholds), cmp.AllowUnexported(class{})); diff != "" {
		t.Errorf("classes (-want +got):\n%s", diff)
	}
}
