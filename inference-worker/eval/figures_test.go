package eval

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
)

// scene is four photos of 100 by 100 and what a detector made of them: a masked face
// found and one called unmasked, an incorrect one missed, a detection on an ignored
// face, one on nothing, and a photo without faces where one is found.
func scene() (DataSet, Run) {
	set := DataSet{Dir: "photos", Split: "test", Photos: []Photo{
		{FileName: "a.jpg", Width: 100, Height: 100, Faces: []Truth{{masked, square(0, 0)}, {masked, square(40, 0)}}},
		{FileName: "b.jpg", Width: 100, Height: 100, Faces: []Truth{{incorrect, Box{0, 0, 4, 4}}}, Ignored: []Box{square(50, 50)}},
		{FileName: "c.jpg", Width: 100, Height: 100},
		{FileName: "d.jpg", Width: 100, Height: 100},
	}}
	run := Run{
		Model: job.Model{Name: "m", Version: "1"},
		Shipped: [][]Detection{
			{{masked, 0.9, square(0, 0)}, {unmasked, 0.8, square(40, 0)}, {masked, 0.6, square(80, 80)}},
			{{masked, 0.7, square(50, 50)}},
			{{unmasked, 0.55, square(0, 0)}},
			{},
		},
		Costs: []Cost{cost(1), cost(2), cost(3), cost(10)},
	}
	run.All = run.Shipped
	return set, run
}

func cost(n int) Cost {
	d := time.Duration(n) * time.Millisecond
	return Cost{Decode: d, Prepare: 2 * d, Network: 3 * d, Boxes: 4 * d}
}

func TestMeasure(t *testing.T) {
	t.Parallel()
	got := Measure(scene())
	if want := (OutOf{1, 2, 0.5}); got.MaskedCalledUnmasked != want {
		t.Errorf("masked called unmasked: got %+v, want %+v", got.MaskedCalledUnmasked, want)
	}
	if want := (OutOf{1, 2, 0.5}); got.Empty != want {
		t.Errorf("false alarms: got %+v, want %+v", got.Empty, want)
	}
	wantConfusion := Confusion{
		masked:    {masked: 1, unmasked: 1, incorrect: 0, missed: 0},
		unmasked:  {masked: 0, unmasked: 0, incorrect: 0, missed: 0},
		incorrect: {masked: 0, unmasked: 0, incorrect: 0, missed: 1},
	}
	if diff := cmp.Diff(wantConfusion, got.Confusion); diff != "" {
		t.Errorf("confusion (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[job.Label]int{masked: 1, unmasked: 1, incorrect: 0}, got.Spurious); diff != "" {
		t.Errorf("spurious (-want +got):\n%s", diff)
	}
	if want := (AtThresholds{Precision: 0.5, Recall: 0.5, Right: 1, Wrong: 1, Missed: 1}); got.Shipped[masked] != want {
		t.Errorf("masked at the thresholds: got %+v, want %+v", got.Shipped[masked], want)
	}
	if want := (AtThresholds{Precision: 0.5, Recall: Number(2.0 / 3), Right: 2, Wrong: 2, Missed: 1}); got.Shipped[anyFace] != want {
		t.Errorf("faces at the thresholds: got %+v, want %+v", got.Shipped[anyFace], want)
	}
	if !near(got.Loose[masked], 51.0/101) || got.Loose[unmasked].Exists() || got.Loose[incorrect] != 0 {
		t.Errorf("average precision: got %v", got.Loose)
	}
	if want := Number(51.0 / 101 / 2); !near(got.Loose[meanOfClasses], want) {
		t.Errorf("mean of the classes: got %v, want %v: a class without faces counts", got.Loose[meanOfClasses], want)
	}
}

func TestBestThreshold(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		in   ranking
		want Threshold
	}{
		{"the wrong ones are the least sure", ranking{[]scored{{0.9, true}, {0.6, true}, {0.5, false}, {0.4, false}}, 2}, Threshold{0.6, 1, 1, 1}},
		{"a right one below a wrong one pays", ranking{[]scored{{0.9, true}, {0.8, false}, {0.3, true}}, 2}, Threshold{0.3, 0.8, Number(2.0 / 3), 1}},
		{"equals stand or fall together", ranking{[]scored{{0.7, true}, {0.7, false}, {0.7, false}}, 1}, Threshold{0.7, 0.5, Number(1.0 / 3), 1}},
	} {
		if got := c.in.bestThreshold(); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
	if got := (ranking{faces: 3}).bestThreshold(); got.Confidence.Exists() {
		t.Errorf("without detections: got %+v, want none", got)
	}
}

func TestRecallBySize(t *testing.T) {
	t.Parallel()
	got := Measure(scene()).Sizes
	type size struct{ faces, found int }
	want := []size{{0, 0}, {1, 0}, {2, 2}, {0, 0}} // 4 % and 10 % of the side
	for i, s := range got {
		if (size{s.Faces, s.Found}) != want[i] {
			t.Errorf("%s: got %d of %d, want %+v", s.Name, s.Found, s.Faces, want[i])
		}
	}
	wide := Photo{Width: 1000, Height: 10, Faces: []Truth{{masked, Box{0, 0, 5, 20}}}} // 10 of 1000
	f := Measure(DataSet{Photos: []Photo{wide}}, Run{Shipped: make([][]Detection, 1), All: make([][]Detection, 1)})
	if f.Sizes[0].Faces != 1 {
		t.Errorf("a face is not measured by its area against the longer side: %+v", f.Sizes)
	}
}

func TestCategoriesLeaveOutWhatIsIgnored(t *testing.T) {
	t.Parallel()
	got := Measure(scene()).Categories
	// a: all_masked, called some_masked. b: incorrect missed, none_masked, called
	// no_faces, since the detection lies on an ignored face. c: a false alarm. d: right.
	if got.Right != 1 || got.Photos != 4 || got.Accuracy != 0.25 {
		t.Errorf("got %d of %d, %v, want 1 of 4", got.Right, got.Photos, got.Accuracy)
	}
	for _, pair := range [][2]job.Category{
		{job.CategoryAllMasked, job.CategorySomeMasked},
		{job.CategoryNoneMasked, job.CategoryNoFaces},
		{job.CategoryNoFaces, job.CategoryNoneMasked},
		{job.CategoryNoFaces, job.CategoryNoFaces},
	} {
		if got.Matrix[pair[0]][pair[1]] != 1 {
			t.Errorf("%s called %s: got %d, want 1", pair[0], pair[1], got.Matrix[pair[0]][pair[1]])
		}
	}
}

func TestCalibration(t *testing.T) {
	t.Parallel()
	bins := Measure(scene()).Calibration
	if b := bins[9]; b.Detections != 1 || b.Right != 1 || b.Confidence != 0.9 {
		t.Errorf("the surest: got %+v", b)
	}
	if b := bins[8]; b.Detections != 1 || b.Right != 0 {
		t.Errorf("a face of another class counts as right: %+v", b)
	}
	if b := bins[7]; b.Detections != 0 || b.Right.Exists() {
		t.Errorf("a detection on an ignored face counts: %+v", b)
	}
}

func TestCPUTimes(t *testing.T) {
	t.Parallel()
	got := Measure(scene()).Costs
	for step, want := range map[Step]Times{
		stepDecode: {4, 2.5}, stepNetwork: {12, 7.5}, stepTotal: {40, 25}, stepDecoded: {36, 22.5},
	} {
		if got[step] != want {
			t.Errorf("%s: got %+v, want %+v", step, got[step], want)
		}
	}
}

func TestEvaluateSetsTwoDetectorsSideBySide(t *testing.T) {
	t.Parallel()
	set, run := scene()
	other := run
	other.Costs = []Cost{cost(2), cost(2), cost(2), cost(2)}
	other.Shipped = make([][]Detection, 4)
	corrected := set
	got := Evaluate(Subject{Set: set, Corrected: &corrected, Corrections: 3}, run, &other)
	if d := got.Difference["at_thresholds.masked.recall"]; d != 0.5 {
		t.Errorf("difference of recall: got %v, want 0.5", d)
	}
	if d := got.Difference["ap50.masked"]; d != 0 {
		t.Errorf("difference of equal precisions: got %v", d)
	}
	if m := got.CPUMultiple[stepTotal]; m.Mean != 2 || m.Median != 1.25 {
		t.Errorf("CPU time over the other's: got %+v", m)
	}
	if got.Corrected == nil || got.Against.Corrected == nil {
		t.Error("the corrected figures are missing")
	}
	if len(got.Difference) != len(got.Figures.Rows()) {
		t.Errorf("%d differences of %d figures: two figures share a name", len(got.Difference), len(got.Figures.Rows()))
	}
}

// TestRowsNameTheirPlaceInTheJSON: who reads a difference must find its figure.
func TestRowsNameTheirPlaceInTheJSON(t *testing.T) {
	t.Parallel()
	f := Measure(scene())
	text, err := json.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	var object map[string]any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	for _, row := range f.Rows() {
		got, found := lookUp(object, row.ID)
		if !found {
			t.Errorf("%s: no such figure in the JSON object", row.ID)
			continue
		}
		number, exists := got.(float64)
		if exists != row.Value.Exists() || (exists && math.Abs(number-float64(row.Value)) > 1e-6) {
			t.Errorf("%s: got %v in the JSON object, want %v", row.ID, got, row.Value)
		}
	}
}
