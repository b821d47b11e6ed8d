package eval

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"maskfleet/pkg/job"
)

const (
	masked    = job.LabelMasked
	unmasked  = job.LabelUnmasked
	incorrect = job.LabelIncorrect
)

// square is a box of 10 by 10.
func square(x, y float64) Box { return Box{x, y, 10, 10} }

func near(a, b Number) bool { return math.Abs(float64(a-b)) < 1e-9 }

func TestIntersectionOverUnion(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		a, b Box
		want float64
	}{
		"same":           {square(0, 0), square(0, 0), 1},
		"half":           {square(0, 0), square(5, 0), 50.0 / 150},
		"touching":       {square(0, 0), square(10, 0), 0},
		"apart":          {square(0, 0), square(50, 50), 0},
		"one in another": {square(0, 0), Box{0, 0, 20, 20}, 0.25},
	}
	for name, c := range cases {
		if got := c.a.iou(c.b); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	at := func(boxes ...Box) []Detection {
		var list []Detection
		for _, b := range boxes {
			list = append(list, Detection{Box: b})
		}
		return list
	}
	cases := map[string]struct {
		faces, ignored []Box
		found          []Detection
		leastIoU       float64
		want           []int
	}{
		"each its own":               {[]Box{square(0, 0), square(50, 0)}, nil, at(square(50, 0), square(0, 0)), 0.5, []int{1, 0}},
		"a face once only":           {[]Box{square(0, 0)}, nil, at(square(0, 0), square(1, 0)), 0.5, []int{0, spurious}},
		"the best free face":         {[]Box{square(0, 0), square(3, 0)}, nil, at(square(2, 0)), 0.5, []int{1}},
		"the next best if taken":     {[]Box{square(0, 0), square(3, 0)}, nil, at(square(3, 0), square(3, 0)), 0.5, []int{1, 0}},
		"too little overlap":         {[]Box{square(0, 0)}, nil, at(square(5, 0)), 0.5, []int{spurious}},
		"exactly enough":             {[]Box{square(0, 0)}, nil, at(Box{0, 0, 10, 5}), 0.5, []int{0}},
		"equal boxes at 1":           {[]Box{square(0, 0)}, nil, at(square(0, 0)), 1, []int{0}},
		"in a region to be ignored":  {nil, []Box{{0, 0, 100, 100}}, at(square(5, 5), square(20, 20)), 0.5, []int{excused, excused}},
		"half in such a region":      {nil, []Box{{0, 0, 100, 100}}, at(square(95, 5)), 0.95, []int{excused}},
		"less than half in it":       {nil, []Box{{0, 0, 100, 100}}, at(square(96, 5)), 0.5, []int{spurious}},
		"a face within such a one":   {[]Box{square(5, 5)}, []Box{{0, 0, 100, 100}}, at(square(5, 5)), 0.5, []int{0}},
		"a second one on that face":  {[]Box{square(5, 5)}, []Box{{0, 0, 100, 100}}, at(square(5, 5), square(6, 5)), 0.5, []int{0, excused}},
		"a detection without a size": {[]Box{square(0, 0)}, []Box{square(0, 0)}, at(Box{5, 5, 0, 0}), 0.5, []int{spurious}},
	}
	for name, c := range cases {
		if diff := cmp.Diff(c.want, match(c.faces, c.ignored, c.found, c.leastIoU)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestAveragePrecision holds small cases that were computed by hand.
func TestAveragePrecision(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		faces      int
		detections []bool // right or wrong, surest first
		want       float64
	}{
		"all right":             {2, []bool{true, true}, 1},
		"nothing found":         {3, nil, 0},
		"only wrong ones":       {1, []bool{false, false}, 0},
		"wrong ones at the end": {1, []bool{true, false, false}, 1},
		// Precision 1/2 at every recall.
		"a wrong one first": {1, []bool{false, true}, 0.5},
		// Recall 0 to 0.50 (51 points) at precision 1, the rest is never reached.
		"half of the faces": {2, []bool{true}, 51.0 / 101},
		// 1 up to recall 0.5 (51 points), then 2/3 (50 points).
		"a wrong one between": {2, []bool{true, false, true}, (51 + 50*2.0/3) / 101},
		// Precision rises from 1/2 to 2/3: the better one stands for the lower recall too.
		"precision that rises": {2, []bool{false, true, true}, 2.0 / 3},
		// 1 to 0.33 (34 points), 3/4 to 0.66 would be 2/3 at the second; recall 1 at 3/5.
		"three faces": {3, []bool{true, false, true, false, true}, (34 + 33*2.0/3 + 34*3.0/5) / 101},
	}
	for name, c := range cases {
		r := ranking{faces: c.faces}
		for i, right := range c.detections {
			r.detections = append(r.detections, scored{1 - float64(i)/100, right})
		}
		if got := r.averagePrecision(); !near(got, Number(c.want)) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
	if (ranking{}).averagePrecision().Exists() {
		t.Error("there is an average precision of a class without faces")
	}
}

func TestRankCountsOnlyTheClassAndLeavesOutWhatIsIgnored(t *testing.T) {
	t.Parallel()
	photos := []Photo{
		{Width: 100, Height: 100, Faces: []Truth{{masked, square(0, 0)}, {unmasked, square(50, 0)}}},
		{Width: 100, Height: 100, Faces: []Truth{{masked, square(0, 0)}}, Ignored: []Box{{50, 50, 50, 50}}},
	}
	found := [][]Detection{
		{{unmasked, 0.4, square(50, 0)}, {masked, 0.5, square(50, 0)}, {masked, 0.9, square(0, 0)}},
		{{masked, 0.8, square(60, 60)}, {masked, 0.7, square(1, 0)}},
	}
	got := rank(photos, found, masked, looseIoU)
	want := ranking{faces: 2, detections: []scored{{0.9, true}, {0.7, true}, {0.5, false}}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(ranking{}, scored{})); diff != "" {
		t.Errorf("masked (-want +got):\n%s", diff)
	}
	merged := rank(photos, found, anyFace, looseIoU)
	want = ranking{faces: 3, detections: []scored{{0.9, true}, {0.7, true}, {0.5, true}, {0.4, false}}}
	if diff := cmp.Diff(want, merged, cmp.AllowUnexported(ranking{}, scored{})); diff != "" {
		t.Errorf("faces (-want +got):\n%s", diff)
	}
}
